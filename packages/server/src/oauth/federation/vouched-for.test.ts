// Whose budget a refused assertion is counted in: RFC 7523 §3.
import { TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addFederation, assertingAsGrant, type Federation, SECONDS } from '../../../test/federation-scene.ts';
import { openTokenScene, type TokenScene } from '../../../test/token-scene.ts';

let scene: TokenScene;
let federation: Federation;
beforeEach(async () => {
  scene = await openTokenScene();
  federation = await addFederation(scene);
});
afterEach(() => scene.close());

const last = () => scene.strangers.at(-1);

test.each<[string, object, string]>([
  ['for another audience', { aud: 'https://other.test' }, 'assertion_audience'],
  ['that has expired', { exp: SECONDS - 100 }, 'assertion_expired'],
  ['that meets no condition', { environment: 'dev' }, 'assertion_condition_not_met'],
])('an assertion %s is refused of a subject of its issuer', async (_what, claims, reason) => {
  await assertingAsGrant(scene, federation.assertion(claims));
  expect(last()).toMatchObject({
    event: { reason },
    voucher: { trustedIssuer: federation.trustedIssuer.id, subject: 'sub=ci' },
  });
});

test('a second use, and a client_id of somebody else, are refused of it too', async () => {
  const assertion = federation.assertion();
  await assertingAsGrant(scene, assertion, '&client_id=somebody');
  expect(last()).toMatchObject({ event: { reason: 'assertion_of_another_client' }, voucher: {} });
  expect((await assertingAsGrant(scene, assertion)).status).toBe(200);
  await assertingAsGrant(scene, assertion);
  expect(last()).toMatchObject({ event: { reason: 'assertion_replayed' }, voucher: {} });
});

test('as a subject token it is the same', async () => {
  const body = new URLSearchParams({
    grant_type: TOKEN_EXCHANGE,
    subject_token: federation.assertion({ environment: 'dev' }),
    subject_token_type: TOKEN_TYPE.jwt,
  }).toString();
  await scene.ask('', { authorization: null, body });
  expect(last()).toMatchObject({
    event: { reason: 'subject_token_not_trusted' },
    voucher: { subject: 'sub=ci' },
  });
});

test('without a signature of the issuer nobody vouches, whatever the claims say', async () => {
  const [header, , signature] = federation.assertion().split('.');
  const claims = Buffer.from(JSON.stringify({ iss: federation.trustedIssuer.issuer, sub: 'ci' }));
  for (const forged of [
    `${header}.${claims.toString('base64url')}.${signature}`,
    federation.assertion({ iss: 'https://nobody.test' }),
    federation.assertion({}, { typ: 'at+jwt' }),
    'x',
  ]) {
    await assertingAsGrant(scene, forged);
    expect(last()?.event.reason).toMatch(/^assertion_/);
    expect(last()).not.toHaveProperty('voucher');
  }
});
