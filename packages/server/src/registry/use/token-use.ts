import type { Stores } from '../../storage/storage.ts';
import { rfc3339 } from '../views.ts';
import { LAG_MS, type UseAnswer, useIn } from './answer.ts';
import { NOT_WATCHED, watchedOf } from './read-use.ts';
import { STANDING_SCOPES } from '../stands-for.ts';

/** What a token carries by which use is counted, and when it lived (epoch ms). */
export interface CountedBy {
  readonly accessId: string;
  readonly credentialId: string;
  readonly resourceServerId: string;
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface TokenUseView {
  state: UseAnswer;
  since: string;
  until: string;
  scopes: {
    scope: string;
    state: UseAnswer;
    last_used: string | null;
    last_denied: string | null;
    ok: number;
    denied: number;
  }[];
}

const UNSEEN: ReadonlySet<string> = new Set(Object.values(STANDING_SCOPES));

/**
 * What resource servers told of the time in which a token lived, by what they count by: credential, access and scope. All
 * tokens that share the three are one there. A later use of another of them hides an earlier one: then it is unknown.
 */
export async function useInLifeOf(
  stores: Pick<Stores, 'usage' | 'usageReporters' | 'coverage'>,
  counted: CountedBy,
  now: number,
): Promise<TokenUseView> {
  const { issuedAt, expiresAt, resourceServerId } = counted;
  // Verifiers tell whole seconds.
  const from = Math.floor(issuedAt / 1000) * 1000;
  const until = Math.min(expiresAt, now);
  const window = { from, to: Math.min(expiresAt + LAG_MS, now) };
  const watched = (await watchedOf(stores, [resourceServerId], window)).get(resourceServerId) ?? NOT_WATCHED;
  const rows = (await stores.usage.ofAccess([counted.accessId])).filter(
    (row) => row.credentialId === counted.credentialId,
  );
  const answerTo = (scope: string, lastOkAt: number | undefined): UseAnswer => {
    if (lastOkAt !== undefined && lastOkAt > expiresAt) return 'unknown';
    const answer = useIn(window, lastOkAt, watched);
    return answer === 'unused' && UNSEEN.has(scope) ? 'unknown' : answer;
  };
  // A guard may ask for no scope: that is counted under the empty one, shown only where it was seen.
  const unscoped = rows.some(({ scope }) => scope === '') ? [''] : [];
  const scopes = [...counted.scopes, ...unscoped].map((scope) => {
    const row = rows.find((each) => each.scope === scope);
    return {
      scope,
      state: answerTo(scope, row?.lastOkAt),
      last_used: instantOf(row?.lastOkAt),
      last_denied: instantOf(row?.lastDeniedAt),
      ok: row?.ok ?? 0,
      denied: row?.denied ?? 0,
    };
  });
  return { state: overall(scopes), since: rfc3339(issuedAt), until: rfc3339(until), scopes };
}

function overall(scopes: readonly { readonly state: UseAnswer }[]): UseAnswer {
  if (scopes.some(({ state }) => state === 'used')) return 'used';
  return scopes.length === 0 || scopes.some(({ state }) => state === 'unknown') ? 'unknown' : 'unused';
}

function instantOf(at: number | undefined): string | null {
  return at === undefined ? null : rfc3339(at);
}
