import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Stores } from '../../storage/storage.ts';
import { rfc3339 } from '../views.ts';
import type { UseAnswer } from './answer.ts';
import { NOTED_EVERY_MS, notedSince } from './credential-uses.ts';

export interface CredentialUsageView {
  state: UseAnswer;
  since: string;
  last_used: string | null;
  last_token: string | null;
  last_call: string | null;
}

type Reading = Pick<Stores, 'credentialUse' | 'usage' | 'settings'>;

/**
 * What is known of the use of credentials in the time `within` (ms) before `now`. Whether tokens were issued on one the authority sees
 * itself, since it began to note it; calls are what resource servers tell of.
 */
export async function useOfCredentials(
  stores: Reading,
  records: readonly CredentialRecord[],
  now: number,
  within: number,
): Promise<ReadonlyMap<string, CredentialUsageView>> {
  const ids = records.map(({ id }) => id);
  const [tokens, calls, since] = [
    await stores.credentialUse.of(ids),
    await stores.usage.lastOfCredentials(ids),
    await notedSince(stores.settings),
  ];
  return new Map(
    records.map((record) => {
      const from = Math.max(now - within, record.createdAt);
      const [token, call] = [tokens.get(record.id), calls.get(record.id)];
      const last = Math.max(token ?? 0, call ?? 0);
      return [
        record.id,
        {
          // Clocks of verifiers are coarse and not ours; nothing was used before it was there.
          state: answerOf(last && Math.max(last, record.createdAt), token, from, since),
          since: rfc3339(from),
          last_used: last === 0 ? null : rfc3339(last),
          last_token: token === undefined ? null : rfc3339(token),
          last_call: call === undefined ? null : rfc3339(call),
        },
      ];
    }),
  );
}

/** What is noted may be an hour old: a note shortly before the window says nothing about the window. */
function answerOf(
  last: number,
  token: number | undefined,
  from: number,
  since: number | undefined,
): UseAnswer {
  if (last >= from) return 'used';
  if (since === undefined || since > from) return 'unknown';
  return token !== undefined && token > from - NOTED_EVERY_MS ? 'unknown' : 'unused';
}
