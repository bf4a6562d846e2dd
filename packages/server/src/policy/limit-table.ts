/** Seconds by environment and type of credential; absent where nothing was said. */
export type LimitTable = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What tokens may live at most, in seconds, beside what server, resource server and access say. */
export interface LifetimeLimits {
  readonly byCredential: LimitTable;
  /** By sensitivity 0 to 3 of the most sensitive scope; undefined where nothing was said. Empty: nothing at all. */
  readonly bySensitivity: readonly (number | undefined)[];
}

export type LimitsRead =
  | { readonly ok: true; readonly limits: LimitTable }
  /** The first entry that is none. */
  | { readonly ok: false; readonly entry: string };

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const ANY = '*';

/** Seconds of `90s`, `10m`, `12h`, `30d`; undefined for anything else, and for nothing. */
export function spanSeconds(text: string | undefined): number | undefined {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]) * (SECONDS[match[2] as string] as number);
}

/**
 * Reads `type@environment=span`, where either may be `*`. Of several entries that fit one pair the least holds, so that no
 * order of them matters.
 */
export function parseLimits(
  entries: readonly string[],
  types: readonly string[],
  environments: readonly string[],
): LimitsRead {
  const limits = new Map(environments.map((environment) => [environment, new Map<string, number>()]));
  for (const entry of entries) {
    const [, type = '', environment = '', span] = /^([^@=]+)@([^@=]+)=([^=]+)$/.exec(entry) ?? [];
    const seconds = spanSeconds(span);
    const forTypes = type === ANY ? types : types.filter((each) => each === type);
    const forEnvironments =
      environment === ANY ? environments : environments.filter((each) => each === environment);
    if (seconds === undefined || forTypes.length === 0 || forEnvironments.length === 0)
      return { ok: false, entry };
    for (const one of forEnvironments) {
      const row = limits.get(one);
      for (const each of forTypes) row?.set(each, Math.min(seconds, row.get(each) ?? seconds));
    }
  }
  return { ok: true, limits };
}
