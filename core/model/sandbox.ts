/**
 * References to sandboxes (network namespaces), as users write them: `NAME` of `ip netns`, `/absolute/path`, `pid:N`.
 */

/** What kind of reference a text is; undefined for none. `..`, `/` in names and relative paths are refused. */
export type SandboxRef =
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'path'; readonly path: string }
  | { readonly type: 'pid'; readonly pid: number };

export const sandboxRefLengthMax = 255;

export function parseSandboxRef(text: string): SandboxRef | undefined {
  if (text.length > sandboxRefLengthMax) return undefined;
  const pid = /^pid:([1-9][0-9]{0,9})$/.exec(text)?.[1];
  if (pid !== undefined) return { type: 'pid', pid: Number(pid) };
  if (text.startsWith('/')) return isPlainPath(text) ? { type: 'path', path: text } : undefined;
  return /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]*$/.test(text) ? { type: 'name', name: text } : undefined;
}

/** Absolute, printable, and without `.` or `..` components that would make two texts one place. */
function isPlainPath(text: string): boolean {
  const components = text.slice(1).split('/');
  return (
    /^[\x21-\x7e]+$/.test(text) && components.every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** A sandbox as an endpoint remembers it. */
export interface Sandbox {
  /** The reference, as the user wrote it. Meaningful on the endpoint's host only. */
  readonly ref: string;
  /**
   * Boot id and namespace cookie (`SO_NETNS_COOKIE`, Linux 5.14), which is never given twice within a boot: tells a
   * sandbox from a later one of the same name. Opaque outside the kernel adapter.
   */
  readonly identity: string;
}
