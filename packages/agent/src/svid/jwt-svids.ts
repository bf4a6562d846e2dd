// JWT-SVIDs that the agent has had made, kept for as long as they are good.
import { parseJwkSet, parseJwtSvid } from '@countersign/protocol';
import type { Authority, MintedJwtSvid, Registration, Served } from '../authority/authority.ts';
import { AuthorityUnreachable } from '../authority/authority.ts';

export interface JwtSvids {
  /** Rejects as the authority does, where there is none to give meanwhile. */
  get(registration: Registration, audience: readonly string[]): Promise<string>;
  /** Forgets those of other registrations, and gives out none that was signed by a key that is not in the bundle. */
  keepOnly(served: Pick<Served, 'registrations' | 'trustDomain' | 'jwtBundles'>): void;
}

interface Kept extends MintedJwtSvid {
  readonly registration: string;
  readonly kid: string | undefined;
  readonly madeAt: number;
}

/** Whoever asks for many audiences pushes out its own oldest ones first, at last others'. */
export const MOST_KEPT = 1000;

/** @param now epoch ms */
export function createJwtSvids(authority: Pick<Authority, 'jwtSvid'>, now: () => number): JwtSvids {
  const kept = new Map<string, Kept>();
  const making = new Map<string, Promise<Kept>>();
  /** Of keys of the trust domain; undefined: nothing is known of them yet. */
  let kids: ReadonlySet<string> | undefined;

  /** A key may have been cut off while what it signed was on its way here: it is looked at whenever one is given out. */
  const counts = ({ kid }: Kept): boolean => kids === undefined || (kid !== undefined && kids.has(kid));

  async function make(key: string, registration: Registration, audience: readonly string[]): Promise<Kept> {
    const madeAt = now();
    const made = await authority.jwtSvid(registration, audience);
    const entry = { ...made, registration: registration.id, madeAt, kid: kidOf(made.svid) };
    kept.delete(key);
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(key, entry);
    return entry;
  }

  return {
    async get(registration, audience) {
      const key = JSON.stringify([registration.id, registration.spiffeId, audience.toSorted()]);
      const known = kept.get(key);
      if (known !== undefined && counts(known) && isYoung(known, now())) return known.svid;
      // One request for all who ask at once.
      let made = making.get(key);
      if (made === undefined) {
        made = make(key, registration, audience).finally(() => making.delete(key));
        making.set(key, made);
      }
      try {
        return (await made).svid;
      } catch (error) {
        if (!(error instanceof AuthorityUnreachable)) throw error;
        if (known !== undefined && counts(known) && known.expiresAt > now()) return known.svid;
        throw error;
      }
    },
    keepOnly({ registrations, trustDomain, jwtBundles }) {
      const bundle = parseJwkSet(jwtBundles.get(trustDomain) ?? '');
      kids = bundle.ok ? new Set(bundle.keys.flatMap(({ kid }) => kid ?? [])) : new Set();
      const ids = new Set(registrations.map(({ id }) => id));
      for (const [key, { registration }] of kept) if (!ids.has(registration)) kept.delete(key);
    },
  };
}

/** Within the first half of its life: who gets it has at least as long again. */
function isYoung({ madeAt, expiresAt }: Kept, at: number): boolean {
  return at < madeAt + (expiresAt - madeAt) / 2;
}

function kidOf(svid: string): string | undefined {
  const read = parseJwtSvid(svid);
  return read.ok ? read.kid : undefined;
}
