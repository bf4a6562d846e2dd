// JWT-SVIDs that the agent has had made, kept for as long as they are good.
import type { Authority, MintedJwtSvid, Registration } from '../authority/authority.ts';
import { AuthorityUnreachable } from '../authority/authority.ts';

export interface JwtSvids {
  /** Rejects as the authority does, where there is none to give meanwhile. */
  get(registration: Registration, audience: readonly string[]): Promise<string>;
  /** Forgets those of other registrations. */
  keepOnly(registrations: readonly Registration[]): void;
}

interface Kept extends MintedJwtSvid {
  readonly registration: string;
  readonly madeAt: number;
}

/** Whoever asks for many audiences pushes out its own oldest ones first, at last others'. */
export const MOST_KEPT = 1000;

/** @param now epoch ms */
export function createJwtSvids(authority: Pick<Authority, 'jwtSvid'>, now: () => number): JwtSvids {
  const kept = new Map<string, Kept>();
  const making = new Map<string, Promise<Kept>>();

  async function make(key: string, registration: Registration, audience: readonly string[]): Promise<Kept> {
    const madeAt = now();
    const made = await authority.jwtSvid(registration, audience);
    const entry = { ...made, registration: registration.id, madeAt };
    kept.delete(key);
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(key, entry);
    return entry;
  }

  return {
    async get(registration, audience) {
      const key = JSON.stringify([registration.id, registration.spiffeId, audience.toSorted()]);
      const known = kept.get(key);
      if (known !== undefined && isYoung(known, now())) return known.svid;
      // One request for all who ask at once.
      let made = making.get(key);
      if (made === undefined) {
        made = make(key, registration, audience).finally(() => making.delete(key));
        making.set(key, made);
      }
      try {
        return (await made).svid;
      } catch (error) {
        const still = error instanceof AuthorityUnreachable && known !== undefined && known.expiresAt > now();
        if (still) return known.svid;
        throw error;
      }
    },
    keepOnly(registrations) {
      const ids = new Set(registrations.map(({ id }) => id));
      for (const [key, { registration }] of kept) if (!ids.has(registration)) kept.delete(key);
    },
  };
}

/** Within the first half of its life: who gets it has at least as long again. */
function isYoung({ madeAt, expiresAt }: Kept, at: number): boolean {
  return at < madeAt + (expiresAt - madeAt) / 2;
}
