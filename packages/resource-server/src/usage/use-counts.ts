// No RFC: what is counted between two reports. Runs once for every call, so it allocates nothing for a caller that is known.
import type { AccessTokenClaims } from '@countersign/protocol/portable';

/** How often something was let through, and how often it was refused. */
export interface Tally {
  ok: number;
  denied: number;
}

/** With the age in seconds of the oldest token that was let through; UNKNOWN: of one of them it was not known. */
interface AgedTally extends Tally {
  age: number;
}

const NOBODY = -1;
const UNKNOWN = Number.POSITIVE_INFINITY;

/** One line of a report: by credential and access where the authority knows them, else by who issued to whom. */
export type UseRow = { readonly scope: string | null; readonly ok: number; readonly denied: number } & (
  | { readonly credential: string; readonly access: string; readonly age?: number }
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

type ByScope = Map<string, AgedTally>;
type ByCaller = Map<string, Map<string, ByScope>>;

export class UseCounts {
  readonly #issuer: string;
  readonly #limit: number;
  /** Access → credential → scope, of tokens of the authority that is told. */
  #ours: ByCaller = new Map();
  /** Issuer → client → scope, of all others. */
  #others: ByCaller = new Map();
  #keys = 0;
  #uncounted: AgedTally = nothing();

  /** `issuer`: the authority that is told; its tokens say their access and credential. */
  constructor(issuer: string, limit: number = MOST_KEYS) {
    this.#issuer = issuer;
    this.#limit = limit;
  }

  /** One call with a genuine token: `scope` is what the guard required, never what the token holds. `now`: epoch seconds. */
  count(claims: AccessTokenClaims, scope: readonly string[], ok: boolean, now?: number): void {
    const { iss, crd, acs, iat } = claims;
    const age = now === undefined || iat === undefined ? UNKNOWN : Math.max(0, Math.ceil(now - iat));
    const isOurs = iss === this.#issuer && crd !== undefined && acs !== undefined;
    const byScope = isOurs
      ? this.#scopesOf(this.#ours, acs, crd)
      : this.#scopesOf(this.#others, iss, claims.client_id);
    if (scope.length === 0) this.#add(byScope, NO_SCOPE, ok, age);
    else for (const each of scope) this.#add(byScope, each, ok, age);
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

  #add(byScope: ByScope | undefined, scope: string, ok: boolean, age: number): void {
    let tally = byScope?.get(scope);
    if (tally === undefined) {
      if (byScope === undefined || this.#keys >= this.#limit) {
        tally = this.#uncounted;
      } else {
        tally = nothing();
        byScope.set(scope, tally);
        this.#keys++;
      }
    }
    if (!ok) {
      tally.denied++;
      return;
    }
    tally.ok++;
    if (age > tally.age) tally.age = age;
  }

  /** All that was counted since the last time; begins anew. */
  take(): Counted {
    const rows: UseRow[] = [];
    const uncounted = { ok: this.#uncounted.ok, denied: this.#uncounted.denied };
    const add = (row: UseRow, ...names: string[]): void => {
      if (names.every((name) => NAME.test(name)) && (row.scope ?? '').length <= LONGEST_SCOPE) rows.push(row);
      else {
        uncounted.ok += row.ok;
        uncounted.denied += row.denied;
      }
    };
    for (const [access, credential, scope, tally] of each(this.#ours)) {
      const { ok, denied, age } = tally;
      const known = age === NOBODY || age === UNKNOWN ? {} : { age };
      add({ credential, access, scope, ok, denied, ...known }, credential, access);
    }
    for (const [issuer, client_id, scope, tally] of each(this.#others)) {
      const { ok, denied } = tally;
      add({ issuer, client_id, scope, ok, denied }, issuer, client_id);
    }
    this.#ours = new Map();
    this.#others = new Map();
    this.#keys = 0;
    this.#uncounted = nothing();
    return { rows, uncounted };
  }
}

function nothing(): AgedTally {
  return { ok: 0, denied: 0, age: NOBODY };
}

function* each(callers: ByCaller): Generator<readonly [string, string, string | null, Readonly<AgedTally>]> {
  for (const [one, inner] of callers) {
    for (const [other, byScope] of inner) {
      for (const [scope, tally] of byScope) yield [one, other, scope === NO_SCOPE ? null : scope, tally];
    }
  }
}
