import { beforeAll, describe, expect, test } from 'vitest';
import { prepare, printed, runForeign, seedKeyCaller, type CallerEnvironment } from '../foreign/run.ts';
import { makeKey } from '../wire/client-assertion.ts';
import { currentTarget } from '../wire/target.ts';

const PROGRAM = ['oauth4webapi-flow.mjs'];

// The forms of the flow that oauth4webapi publishes as its end-to-end test of client credentials, without those that need
// secrets as HMAC keys or encryption.
describe.runIf(currentTarget().admin !== undefined)('the flow of oauth4webapi (needs the admin API)', () => {
  const key = makeKey();
  let caller: CallerEnvironment;
  prepare('node');
  beforeAll(async () => {
    const made = await seedKeyCaller('oauth4webapi-flow', key);
    const jwk = { ...key.privateKey.export({ format: 'jwk' }), alg: key.alg };
    caller = { ...made, PRIVATE_JWK: JSON.stringify(jwk) };
  });

  test.for([
    { AUTH: 'post' },
    { AUTH: 'basic' },
    { AUTH: 'private_key_jwt' },
    { AUTH: 'private_key_jwt', DPOP: 'yes' },
    { AUTH: 'basic', JWT: 'yes' },
    { AUTH: 'private_key_jwt', DPOP: 'yes', JWT: 'yes' },
  ])('%j', async (way, context) => {
    const seen = printed(await runForeign(context, 'node', PROGRAM, { ...caller, ...way }));
    const bound = way.DPOP === 'yes';
    expect(seen).toMatchObject({
      token_type: bound ? 'dpop' : 'bearer',
      scope: 'identities:read',
      status: 200,
      before: { active: true, client_id: caller.CLIENT_ID, token_type: bound ? 'DPoP' : 'Bearer' },
      after: { active: false },
    });
  });

  test('threat 9: without a credential there is no token', async (context) => {
    const outcome = await runForeign(context, 'node', PROGRAM, { ...caller, AUTH: 'none' });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/invalid_client|401|WWW/);
  });
});
