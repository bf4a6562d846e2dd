import type { AdminClient, Me } from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { relative } from '../flags/time.ts';
import { type Finding, fail, ok, skip, warn } from './check.ts';

const SOON_MS = 14 * 86_400_000;

function signedIn(person: Me['person'], now: number): Finding {
  if (person === null) return fail('credential', 'nobody is signed in', 'countersign login');
  const { handle, expires_at: end } = person;
  return ok('credential', `${handle}, signed in, ends ${relative(end, now)} (${end})`);
}

/** Whether this program may act, and until when its own credential lasts. */
export async function checkOwnCredential(
  client: AdminClient,
  clientId: string | undefined,
  now: number,
): Promise<readonly Finding[]> {
  try {
    if (clientId === undefined) return [signedIn((await client.call('me.get')).body.person, now)];
    const { items } = (
      await client.call('credentials.list', { query: { identity: clientId, state: 'active' } })
    ).body;
    const last = items
      .map((item) => item.expires_at)
      .sort()
      .at(-1);
    if (last === undefined)
      return [warn('credential', `${clientId} has no credential that could be renewed`)];
    const detail = `${clientId}, ends ${relative(last, now)} (${last})`;
    return [
      Date.parse(last) - now < SOON_MS
        ? warn(
            'credential',
            detail,
            `countersign credentials create ${clientId} --type client_secret --secret-file FILE`,
          )
        : ok('credential', detail),
    ];
  } catch (error) {
    const failure = failureOf(error);
    return [fail('credential', failure.message, failure.fix)];
  }
}

/** What will stop working soon if nobody acts. */
export async function checkEndingSoon(client: AdminClient, now: number): Promise<Finding> {
  const limit = new Date(now + SOON_MS).toISOString();
  try {
    let ending = 0;
    const query = { state: 'active', expires_before: limit } as const;
    for await (const item of client.each('credentials.list', { query })) {
      if (Date.parse(item.expires_at) > now) ending++;
    }
    return ending === 0
      ? ok('ending soon', 'no credential ends within 14 days')
      : warn(
          'ending soon',
          `${ending} ${ending === 1 ? 'credential ends' : 'credentials end'} within 14 days`,
          'countersign credentials list --state active --expires-before 14d',
        );
  } catch (error) {
    return skip('ending soon', failureOf(error).message);
  }
}
