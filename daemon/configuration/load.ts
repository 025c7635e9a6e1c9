/** Makes a configuration of flags, an optional file and the defaults, and says what is wrong with it in one line. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { StoreSecrets } from '../../adapters/open-log.ts';
import { explainIssues } from '../../api/explain.ts';
import { socketDefault } from '../../api/socket.ts';
import { WeftError } from '../../core/errors.ts';
import { quote } from '../../core/lib/quote.ts';
import { familyOf, type IpAddress, parseAddress, parsePrefix } from '../../core/model/address.ts';
import { isName, nameRule } from '../../core/model/names.ts';
import { presenceDefaults } from '../../core/presence/defaults.ts';
import {
  archiveMibDefault,
  archiveMibMax,
  archiveMibMin,
  dataDirectoryDefault,
  hostSpanMsMax,
  hostSpanMsMin,
  logLevelDefault,
  netnsPrefixDefault,
  netnsPrefixLengthMax,
  storeUrlDefault,
} from '../defaults.ts';
import type { Configuration } from './configuration.ts';
import { defaultAddress } from './default-address.ts';
import { fileSchema, flagsSchema, type Settings } from './settings.ts';

/** What the command line gives: flags by their names without dashes, and the file that `--config` names. */
export interface CommandLine {
  readonly flags: Readonly<Record<string, string>>;
  readonly file?: string;
}

/** @throws WeftError `bad-configuration` */
export async function loadConfiguration(commandLine: CommandLine): Promise<Configuration> {
  const settings = await settingsOf(commandLine);
  return {
    store: settings.store ?? storeUrlDefault,
    host: hostOf(settings),
    advertise: await addressOf(settings),
    dataDir: settings['data-dir'] ?? dataDirectoryDefault,
    socket: settings.socket ?? socketDefault,
    netnsPrefix: netnsPrefixOf(settings),
    acceptInForeignChains: settings['accept-in-foreign-chains'] ?? false,
    acceptForeignVteps: settings['accept-foreign-vteps'] ?? false,
    ...gatewaySubnetOf(settings),
    hasDefaultBridge: settings.bridge !== 'none',
    archiveMib: archiveMibOf(settings),
    ...patienceOf(settings),
    logLevel: settings['log-level'] ?? logLevelDefault,
    secrets: secretsOf(settings),
    stores: (settings.stores ?? []).map(({ url, ...rest }) => ({ url, secrets: secretsOf(rest) })),
  };
}

/** Which store, and how it knows us: of the same flags and file, for who needs nothing else. @throws WeftError `bad-configuration` */
export async function loadStore(commandLine: CommandLine): Promise<Pick<Configuration, 'store' | 'secrets'>> {
  const settings = await settingsOf(commandLine);
  if (settings.store === undefined)
    throw wrong('no store is named: give --store, or store in the file of --config');
  return { store: settings.store, secrets: secretsOf(settings) };
}

async function settingsOf(commandLine: CommandLine): Promise<Settings> {
  const fromFile = commandLine.file === undefined ? {} : await readSettings(commandLine.file);
  return { ...fromFile, ...check(flagsSchema, absolutePaths(commandLine.flags), 'options') };
}

async function readSettings(file: string): Promise<Settings> {
  let value: unknown;
  try {
    value = parse(await readFile(file, 'utf8')) ?? {};
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw wrong(`cannot read ${file}: ${reason}`, cause);
  }
  return check(fileSchema, value, file);
}

/** On the command line a relative path means one from here; a file has no such place. */
function absolutePaths(flags: Readonly<Record<string, string>>): Record<string, string> {
  const paths = new Set(['data-dir', 'socket']);
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      name,
      paths.has(name) && value !== '' ? resolve(value) : value,
    ]),
  );
}

function check<S extends typeof flagsSchema | typeof fileSchema>(
  schema: S,
  value: unknown,
  root: string,
): Settings {
  const result = schema.safeParse(value);
  if (!result.success) throw wrong(explainIssues(result.error, root));
  return result.data;
}

function hostOf(settings: Settings): string {
  const host = settings.host ?? hostname();
  if (isName(host)) return host;
  throw wrong(`${quote(host)} is no host name: ${nameRule}, and say it with --host`);
}

async function addressOf(settings: Settings): Promise<IpAddress> {
  if (settings.advertise === undefined) return defaultAddress();
  const address = parseAddress(settings.advertise);
  if (address !== undefined) return address;
  throw wrong(`${quote(settings.advertise)} is no IP address: give the underlay address with --advertise`);
}

function netnsPrefixOf(settings: Settings): string {
  const prefix = settings['netns-prefix'] ?? netnsPrefixDefault;
  if (prefix.length <= netnsPrefixLengthMax && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(prefix)) return prefix;
  const rule = `use 1 to ${netnsPrefixLengthMax} letters, digits, '_', '.' or '-', beginning with a letter or digit`;
  throw wrong(`${quote(prefix)} is no namespace prefix: ${rule}`);
}

/** Whether it may be one is the fold's to say, which knows the other networks. */
function gatewaySubnetOf(settings: Settings): Pick<Configuration, 'gatewaySubnet'> {
  const text = settings['gateway-subnet'];
  if (text === undefined) return {};
  const parsed = parsePrefix(text);
  if ('prefix' in parsed && familyOf(parsed.prefix) === 4) return { gatewaySubnet: parsed.prefix };
  throw wrong(`gateway-subnet ${quote(text)} is no IPv4 subnet: write it like 10.200.0.0/16`);
}

function archiveMibOf(settings: Settings): number {
  const text = settings['archive-mib'] ?? String(archiveMibDefault);
  const mib = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
  if (mib >= archiveMibMin && mib <= archiveMibMax) return mib;
  throw wrong(`archive-mib ${quote(text)} is not within ${archiveMibMin} and ${archiveMibMax} MiB`);
}

function patienceOf(settings: Settings): Pick<Configuration, 'hostGraceMs' | 'hostRetentionMs'> {
  const hostGraceMs = spanOf(settings, 'host-grace', presenceDefaults.graceMs);
  const hostRetentionMs = spanOf(settings, 'host-retention', presenceDefaults.retentionMs);
  if (hostRetentionMs >= hostGraceMs) return { hostGraceMs, hostRetentionMs };
  throw wrong('host-retention is shorter than host-grace: a host is down before it expires');
}

function spanOf(settings: Settings, name: 'host-grace' | 'host-retention', defaultMs: number): number {
  const text = settings[name];
  if (text === undefined) return defaultMs;
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,5})(s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(digits) * (unitMs[unit] ?? 0);
  if (ms >= hostSpanMsMin && ms <= hostSpanMsMax) return ms;
  throw wrong(`${name} ${quote(text)} is no time from 3s to 365d: say it like 30s, 10m, 24h or 7d`);
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function secretsOf(settings: Omit<NonNullable<Settings['stores']>[number], 'url'>): StoreSecrets {
  const { 'tls-ca-file': caFile, 'tls-cert-file': certFile, 'tls-key-file': keyFile } = settings;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw wrong('tls-cert-file and tls-key-file go together: give both or neither');
  }
  const tls = {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
  const { user, 'password-file': passwordFile, 'token-file': tokenFile } = settings;
  if ((user === undefined) !== (passwordFile === undefined)) {
    throw wrong('user and password-file go together: give both or neither');
  }
  return {
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(user !== undefined && passwordFile !== undefined && { auth: { user, passwordFile } }),
    ...(tokenFile !== undefined && { tokenFile }),
  };
}

function wrong(what: string, cause?: unknown): WeftError {
  return new WeftError('bad-configuration', `Cannot start with this configuration: ${what}`, { cause });
}
