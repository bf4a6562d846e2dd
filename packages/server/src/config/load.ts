import { createRequire } from 'node:module';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';
import { SETTINGS } from './schema.ts';
import type { SettingDefinition } from './setting-definition.ts';

/** A setting is wrong or unsafe: names it and says what to do. The command exits with 2. */
export class SettingError extends Error {
  override readonly name: string = 'SettingError';
  readonly setting: string;
  /** Without a full stop; goes on from the setting's name: `is not a setting`. */
  readonly problem: string;
  readonly fix: string | undefined;
  /** Names that might have been meant. */
  readonly known: readonly string[];
  constructor(setting: string, problem: string, fix?: string, known: readonly string[] = []) {
    super([`${setting} ${problem}.`, fix].filter(Boolean).join(' '));
    this.setting = setting;
    this.problem = problem;
    this.fix = fix;
    this.known = known;
  }
}

/** The text of the file that a setting names. @throws SettingError */
export function readSettingFile(setting: string, path: string): string {
  try {
    return readConfiguredFile(path);
  } catch (error) {
    throw error instanceof UnreadableFile
      ? new SettingError(setting, `names ${path}, which ${error.problem}`)
      : error;
  }
}

export type FlagValue = string | boolean | readonly string[] | undefined;

/** Values by setting name, of the type the table says; durations in seconds. Unset ones are absent. */
export type Settings = ReadonlyMap<string, string | number | boolean | readonly string[]>;

export interface LoadOptions {
  readonly mode: 'dev' | 'serve';
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const PREFIX = 'COUNTERSIGN_';
/** Variables with the prefix that belong to clients, tests and this command itself. */
const NOT_SETTINGS =
  /^COUNTERSIGN_(?:CLIENT_|CA_FILE|READY_FILE$|REQUIRE$|VECTORS$|TEST_|INSTANCE$|SESSION_DIR$|NO_)/;

/** Flag, then environment, then YAML file, then default. Anything unknown is refused, not ignored. */
export function loadSettings(options: LoadOptions): Settings {
  const known = new Map(SETTINGS.map((setting) => [setting.name, setting]));
  const { config, ...flags } = options.flags;
  refuseUnknown(Object.keys(flags), known, '--');
  const file = readConfigFile(config ?? options.env[`${PREFIX}CONFIG`]);
  refuseUnknown(Object.keys(file), known, '');
  refuseUnknownVariables(options.env, known);
  const settings = new Map<string, string | number | boolean | readonly string[]>();
  for (const setting of SETTINGS) {
    const given = flags[setting.name] ?? fromEnvironment(setting, options.env) ?? file[setting.name];
    const text = given ?? setting.default;
    if (text === undefined) continue;
    const value = read(setting, text);
    const elsewhere = setting.only !== undefined && setting.only !== options.mode;
    if (elsewhere && given !== undefined && value !== false) {
      throw new SettingError(setting.name, `is for countersign ${setting.only} only`, 'Leave it out.');
    }
    settings.set(setting.name, value);
  }
  return settings;
}

const SEE_SETTINGS = 'See docs/reference/config.md.';

function refuseUnknown(names: readonly string[], known: ReadonlyMap<string, unknown>, prefix: string): void {
  for (const name of names) {
    if (!known.has(name))
      throw new SettingError(prefix + name, 'is not a setting', SEE_SETTINGS, [...known.keys()]);
  }
}

function refuseUnknownVariables(
  env: LoadOptions['env'],
  known: ReadonlyMap<string, SettingDefinition>,
): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || NOT_SETTINGS.test(name) || name === `${PREFIX}CONFIG`) continue;
    const setting = name
      .slice(PREFIX.length)
      .replace(/_FILE$/, '')
      .toLowerCase()
      .replaceAll('_', '-');
    const whole = name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
    if (!known.has(whole) && known.get(setting)?.secret !== true) {
      const variables = [...known.keys()].map(variableOf);
      throw new SettingError(name, 'is not a setting', SEE_SETTINGS, variables);
    }
  }
}

function fromEnvironment(setting: SettingDefinition, env: LoadOptions['env']): string | undefined {
  const name = variableOf(setting.name);
  const file = setting.secret === true ? env[`${name}_FILE`] : undefined;
  if (file === undefined) return env[name];
  if (env[name] !== undefined) {
    throw new SettingError(`${name}_FILE`, `stands beside ${name}`, 'Give one of the two.');
  }
  return readSettingFile(`${name}_FILE`, file).trim();
}

function variableOf(setting: string): string {
  return PREFIX + setting.toUpperCase().replaceAll('-', '_');
}

function readConfigFile(path: FlagValue): Readonly<Record<string, unknown>> {
  if (typeof path !== 'string') return {};
  const document = parseConfigFile(path);
  if (document === null || document === undefined) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new SettingError('config', `${path} is not a mapping`, 'Write `name: value` lines.');
  }
  return document as Readonly<Record<string, unknown>>;
}

function parseConfigFile(path: string): unknown {
  const text = readSettingFile('config', path);
  try {
    return loadYaml().parse(text) as unknown;
  } catch (error) {
    throw new SettingError('config', `${path} is no YAML: ${(error as Error).message.trim()}`);
  }
}

/** Loaded only where there is such a file. */
function loadYaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml') as typeof import('yaml');
}

function read(setting: SettingDefinition, given: unknown): string | number | boolean | readonly string[] {
  if (setting.type === 'list') return readList(setting, given);
  if (setting.type === 'boolean') return readBoolean(setting, given);
  const text = typeof given === 'string' ? given : typeof given === 'number' ? String(given) : undefined;
  if (text === undefined || text === '') throw new SettingError(setting.name, 'has no value', setting.doc);
  if (setting.type === 'integer') return bounded(setting, /^\d+$/.test(text) ? Number(text) : Number.NaN);
  if (setting.type === 'duration') return bounded(setting, parseDuration(text) ?? Number.NaN);
  if (setting.values !== undefined && !setting.values.includes(text)) {
    throw new SettingError(setting.name, `${text} is not one of ${setting.values.join(', ')}`, setting.doc);
  }
  return text;
}

function bounded(setting: SettingDefinition, value: number): number {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = setting;
  if (value >= minimum && value <= maximum) return value;
  const unit = setting.type === 'duration' ? ' seconds (written 90s, 10m, 12h or 30d)' : '';
  throw new SettingError(setting.name, `is out of bounds: it goes from ${minimum} to ${maximum}${unit}`);
}

function readList(setting: SettingDefinition, given: unknown): readonly string[] {
  const items: unknown[] = Array.isArray(given)
    ? given
    : typeof given === 'string'
      ? given.split(',')
      : [given];
  return items.map((item) => {
    if (typeof item !== 'string' || item.trim() === '')
      throw new SettingError(setting.name, 'has an empty entry', setting.doc);
    return item.trim();
  });
}

function readBoolean(setting: SettingDefinition, given: unknown): boolean {
  if (given === true || given === 'true' || given === '1') return true;
  if (given === false || given === 'false' || given === '0') return false;
  throw new SettingError(setting.name, 'is neither true nor false', setting.doc);
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `10m`, `12h`, `30d` → seconds. Undefined for anything else: a bare number has no unit. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (UNIT_SECONDS[match[2] as string] as number);
}
