/** How a store knows this host: by the names of files in its configuration, never by what a record says. */
import { type OpenLogDeps, openLog, type StoreSecrets } from '../adapters/open-log.ts';
import type { Configuration } from './configuration/configuration.ts';

/**
 * Those of the entry of `stores` for that URL, however it is written; otherwise those of the daemon's own store, where the
 * other one is of the same kind.
 *
 * @throws WeftError `bad-store-url`
 */
export async function secretsFor(
  url: string,
  { store, secrets, stores }: Pick<Configuration, 'store' | 'secrets' | 'stores'>,
  ports: Omit<OpenLogDeps, 'secrets'>,
): Promise<StoreSecrets> {
  if (url === store) return secrets;
  const plain = async (text: string): Promise<string> => (await openLog(text, ports)).url;
  const wanted = await plain(url);
  for (const other of stores) if ((await plain(other.url)) === wanted) return other.secrets;
  return schemeOf(url) === schemeOf(store) ? secrets : {};
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':')).toLowerCase();
}
