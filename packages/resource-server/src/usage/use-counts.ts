// No RFC: what is counted between two reports. Runs once for every call, so it allocates nothing for a caller that is known.
import type { AccessTokenClaims } from '@countersign/protocol';

/** How often something was let through, and how often it was refused. */
export interface Tally {
  ok: number;
  denied: number;
}

/** One line of a report: by credential and access where the authority knows them, else by who issued to whom. */
export type UseRow = { readonly scope: string | null; readonly ok: number; readonly denied: number } & (
  | { readonly credential: string; readonly access: string }
  | { readonly issuer: string; readonly client_id: string }
);

export interface Counted {
  readonly rows: readonly UseRow[];
  /** Calls for which there was no room: what they were is not known. */
  readonly uncounted: Readonly<Tally>;
}

/** Combinations of caller and scope that are told apart between two reports. About 2 MB when all are there. */
export const MOST_KEYS = 10_000;
/** What the authority takes as a name, and as a scope; of others it is only said how many there were. */
const NAME = /^[\x20-\x7e]{1,256}$/;
const LONGEST_SCOPE = 128;

const NO_SCOPE = '';

type ByScope = Map<string, Tally>;
type ByCaller = Map<string, Map<string, ByScope>>;

export class UseCounts {
  readonly #issuer: string;
  readonly #limit: number;
  /** Access → credential → scope, of tokens of the authority that is told. */
  #ours: ByCaller = new Map();
  /** Issuer → client → scope, of all others. */
  #others: ByCaller = new Map();
  #keys = 0;
  #uncounted: Tally = { ok: 0, denied: 0 };

  /** `issuer`: the authority that is told; its tokens say their access and credential. */
  constructor(issuer: string, limit: number = MOST_KEYS) {
    this.#issuer = issuer;
    this.#limit = limit;
  }

  /** One call with a genuine token: `scope` is what the guard required, never what the token holds. */
  count(claims: AccessTokenClaims, scope: readonly string[], ok: boolean): void {
    const { iss, crd, acs } = claims;
    const isOurs = iss === this.#issuer && crd !== undefined && acs !== undefined;
    const byScope = isOurs
      ? this.#scopesOf(this.#ours, acs, crd)
      : this.#scopesOf(this.#others, iss, claims.client_id);
    if (scope.length === 0) this.#add(byScope, NO_SCOPE, ok);
    else for (const each of scope) this.#add(byScope, each, ok);
  }

  #scopesOf(callers: ByCaller, one: string, other: string): ByScope | undefined {
    let inner = callers.get(one);
    if (inner === undefined) {
      if (this.#keys >= this.#limit) return undefined;
      inner = new Map();
      callers.set(one, inner);
    }
    let byScope = inner.get(other);
    if (byScope === undefined) {
      if (this.#keys >= this.#limit) return undefined;
      byScope = new Map();
      inner.set(other, byScope);
    }
    return byScope;
  }

  #add(byScope: ByScope | undefined, scope: string, ok: boolean): void {
    let tally = byScope?.get(scope);
    if (tally === undefined) {
      if (byScope === undefined || this.#keys >= this.#limit) {
        tally = this.#uncounted;
      } else {
        tally = { ok: 0, denied: 0 };
        byScope.set(scope, tally);
        this.#keys++;
      }
    }
    if (ok) tally.ok++;
    else tally.denied++;
  }

  /** All that was counted since the last time; begins anew. */
  take(): Counted {
    const rows: UseRow[] = [];
    const uncounted = this.#uncounted;
    const add = (row: UseRow, ...names: string[]): void => {
      if (names.every((name) => NAME.test(name)) && (row.scope ?? '').length <= LONGEST_SCOPE) rows.push(row);
      else {
        uncounted.ok += row.ok;
        uncounted.denied += row.denied;
      }
    };
    for (const [access, credential, scope, tally] of each(this.#ours)) {
      add({ credential, access, scope, ...tally }, credential, access);
    }
    for (const [issuer, client_id, scope, tally] of each(this.#others)) {
      add({ issuer, client_id, scope, ...tally }, issuer, client_id);
    }
    this.#ours = new Map();
    this.#others = new Map();
    this.#keys = 0;
    this.#uncounted = { ok: 0, denied: 0 };
    return { rows, uncounted };
  }
}

function* each(callers: ByCaller): Generator<readonly [string, string, string | null, Readonly<Tally>]> {
  for (const [one, inner] of callers) {
    for (const [other, byScope] of inner) {
      for (const [scope, tally] of byScope) yield [one, other, scope === NO_SCOPE ? null : scope, tally];
    }
  }
}
