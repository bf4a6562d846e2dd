import { beforeAll, describe, expect, test } from 'vitest';
import { prepare, printed, runForeign, seedCaller, type CallerEnvironment } from '../foreign/run.ts';
import { currentTarget } from '../wire/target.ts';

// Foreign clients find both endpoints in the metadata, see their own token, end it, and see it no more.
describe.runIf(currentTarget().admin !== undefined)('RFC 7662 and RFC 7009 (needs the admin API)', () => {
  let caller: CallerEnvironment;
  prepare('node');
  prepare('python');
  beforeAll(async () => {
    caller = await seedCaller('introspecting');
  });

  for (const library of ['openid-client', 'oauth4webapi', 'oauth2-client'])
    for (const auth of ['basic', 'post'])
      test(`${library} with client_secret_${auth}`, async (context) => {
        const program = [`${library}-tokens.mjs`];
        const seen = printed(await runForeign(context, 'node', program, { ...caller, AUTH: auth }));
        expect(seen['before']).toMatchObject({
          active: true,
          client_id: caller.CLIENT_ID,
          scope: 'identities:read',
          token_type: 'Bearer',
          aud: caller.RESOURCE,
        });
        expect(seen['after']).toEqual({ active: false });
      });

  test('requests-oauth2client', async (context) => {
    const program = ['requests_oauth2client_client.py'];
    const outcome = await runForeign(context, 'python', program, { ...caller, ABOUT: 'yes' });
    expect(printed(outcome)).toMatchObject({
      before: { active: true, client_id: caller.CLIENT_ID, aud: caller.RESOURCE },
      after: { active: false },
    });
  });
});
