import { beforeAll, describe, expect, test } from 'vitest';
import { inSeconds, issueSecret, makeMachine, revokeCredential } from './wire/admin.ts';
import { giveKey, makeKey, signCompact, type AssertionKey } from './wire/client-assertion.ts';
import { seconds } from './wire/dpop-proof.ts';
import { comparable } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// RFC 6749 section 5.2 and promise 4: a caller that is refused cannot tell why, byte by byte.
const target = currentTarget();

describe.runIf(target.admin !== undefined)(
  'RFC 6749 section 5.2: what strangers learn (needs the admin API)',
  () => {
    const SOURCE = '127.0.0.77';
    let seeded: SeededScene;
    beforeAll(async () => {
      seeded = await seedScene('strangers');
    });

    test.each(['basic', 'post'] as const)(
      'threat 1: unknown client, wrong secret, suspended identity, expired and revoked credential answer alike (%s)',
      async (via) => {
        const { admin } = seeded;
        const machine = await makeMachine(admin, freshName('alike'));
        const revoked = await issueSecret(admin, machine.identityId);
        const expired = await issueSecret(admin, machine.identityId, { expires_at: inSeconds(2) });
        const suspended = await makeMachine(admin, freshName('suspended'));
        await revokeCredential(admin, revoked.id);
        await admin.must('POST', `/identities/${suspended.identityId}/suspend`, { reason: 'conformance' });
        await new Promise((resolve) => setTimeout(resolve, 2200));
        const cases: Record<string, { id: string; secret: string }> = {
          'unknown client': { id: 'nobody-of-that-name', secret: machine.secret },
          'wrong secret': { id: machine.id, secret: 'not-it' },
          'well-formed secret of another client': { id: machine.id, secret: suspended.secret },
          'suspended identity': suspended,
          'expired credential': { id: machine.id, secret: expired.secret },
          'revoked credential': { id: machine.id, secret: revoked.secret },
        };
        const seen: Record<string, string> = {};
        for (const [what, client] of Object.entries(cases)) {
          const answer = await askToken({ client, via, localAddress: SOURCE });
          expectOAuthError(answer, 401, 'invalid_client');
          seen[what] = comparable(answer);
        }
        const first = Object.values(seen)[0];
        for (const [what, answer] of Object.entries(seen)) expect(answer, what).toBe(first);
        expectToken(await askToken({ client: seeded.client, via }));
      },
    );

    test('threat 1: a wrong key, no key, another method, a suspended identity and an unknown client answer alike', async () => {
      const { admin } = seeded;
      const client = await giveKey(seeded);
      const stopped = await seedScene('stopped');
      const suspended = await giveKey(stopped);
      await admin.must('POST', `/identities/${stopped.machine.identityId}/suspend`, {
        reason: 'conformance',
      });
      const keyless = await seedScene('keyless');
      const as = (id: string, key: AssertionKey = client.key): string => {
        const claims = { iss: id, sub: id, aud: target.issuer, jti: freshName('jti'), exp: seconds(60) };
        return signCompact({ alg: key.alg }, claims, key);
      };
      const seen: Record<string, string> = {};
      for (const [what, assertion] of Object.entries({
        'unknown client': as('nobody-of-that-name'),
        'wrong key': as(client.scene.client.id, makeKey()),
        'key of another client': as(keyless.client.id),
        'suspended identity': suspended.assertion(),
        'another audience': client.assertion({ aud: 'https://other.example' }),
        'no assertion at all': 'nonsense',
      })) {
        const answer = await client.ask(assertion, {}, { localAddress: SOURCE });
        expectOAuthError(answer, 401, 'invalid_client');
        seen[what] = comparable(answer);
      }
      const first = Object.values(seen)[0];
      for (const [what, answer] of Object.entries(seen)) expect(answer, what).toBe(first);
      expectToken(await client.ask());
    });
  },
);
