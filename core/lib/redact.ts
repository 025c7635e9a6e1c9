/**
 * Takes what may be secret out of a text that leaves the machine. No URL and no log line of weft's holds any; this is for
 * texts of others that get into them, such as the message of a client library.
 */

/** What stands for it. */
const hidden = '…';

/** Everything between a URL's scheme and its last `@`, and the values of parameters that are named like secrets. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*@/gi, `$1${hidden}@`)
    .replace(/([?&;](?:token|password|passwd|secret|key|auth)=)[^&;\s"'<>]*/gi, `$1${hidden}`)
    .replace(/\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{6,}/g, `$1 ${hidden}`);
}
