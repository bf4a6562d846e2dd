import { afterEach, beforeEach, expect, test } from 'vitest';
import { addClientKey, assertionForm, assertionOf, clientKey } from '../../../test/client-assertion.ts';
import { addSpiffe, askByJwtSvid, declareDomain, jwtSvidOf, otherDomain } from '../../../test/svid-scene.ts';
import { TRUST_DOMAIN } from '../../../test/issuing.ts';
import { ISSUER, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';

const A = otherDomain('a.test');
const B = otherDomain('b.test');
const ORDERS = 'spiffe://a.test/orders';
let scene: TokenScene;

beforeEach(async () => {
  scene = await openTokenScene();
  await declareDomain(scene, A);
  await declareDomain(scene, B);
  await addSpiffe(scene, ORDERS);
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const reason = (): string | undefined =>
  scene.log.events.at(-1)?.reason ?? scene.strangers.at(-1)?.event.reason;

test('a JWT-SVID of a declared trust domain gets a token, again and again, and is in the log by its method', async () => {
  const svid = jwtSvidOf(A, ORDERS);
  for (let times = 0; times < 2; times++) {
    const answer = await askByJwtSvid(scene, svid);
    expect(answer.status, String(answer.body)).toBe(200);
  }
  expect(scene.log.events.at(-1)).toMatchObject({ type: 'token.issued', method: 'spiffe_jwt' });
});

test('one of this deployment gets a token by the keys of JWT-SVIDs', async () => {
  const own = `spiffe://${TRUST_DOMAIN}/service/payments`;
  await addSpiffe(scene, own);
  const iat = Math.floor(NOW / 1000);
  const claims = JSON.stringify({ sub: own, aud: [ISSUER], iat, exp: iat + 300 });
  const svid = await scene.svidKeystore.sign('ES256', 'JWT', claims);
  expect((await askByJwtSvid(scene, svid)).status).toBe(200);
});

test('no access token of this deployment passes for one of its SVIDs, whatever it says', async () => {
  const own = `spiffe://${TRUST_DOMAIN}/service/payments`;
  await addSpiffe(scene, own);
  const iat = Math.floor(NOW / 1000);
  const claims = JSON.stringify({ sub: own, aud: [ISSUER], iat, exp: iat + 300 });
  const forged = await scene.deps.keystore.sign('ES256', 'JWT', claims);
  expect((await askByJwtSvid(scene, forged)).status).toBe(401);
  expect(reason()).toBe('svid_untrusted');
});

test.each([
  ['signed in another declared trust domain', jwtSvidOf(B, ORDERS), 'svid_untrusted'],
  [
    'of a trust domain that is not declared',
    jwtSvidOf(A, 'spiffe://c.test/orders'),
    'svid_trust_domain_unknown',
  ],
  ['of another workload', jwtSvidOf(A, 'spiffe://a.test/ledger'), 'svid_id_mismatch'],
  ['of a path that only begins the same', jwtSvidOf(A, `${ORDERS}/x`), 'svid_id_mismatch'],
  ['for somebody else', jwtSvidOf(A, ORDERS, { aud: ['https://b'] }), 'svid_audience'],
  ['for somebody else too', jwtSvidOf(A, ORDERS, { aud: [ISSUER, 'https://b'] }), 'svid_audience'],
  ['for the token endpoint', jwtSvidOf(A, ORDERS, { aud: [`${ISSUER}/oauth/token`] }), 'svid_audience'],
  ['that has expired', jwtSvidOf(A, ORDERS, { exp: Math.floor(NOW / 1000) }), 'svid_outdated'],
  ['without an end', jwtSvidOf(A, ORDERS, { exp: undefined }), 'svid_malformed'],
  ['that begins later', jwtSvidOf(A, ORDERS, { nbf: Math.floor(NOW / 1000) + 60 }), 'svid_outdated'],
  ['with another typ', jwtSvidOf(A, ORDERS, {}, { typ: 'at+jwt' }), 'svid_malformed'],
  ['with a header that none has', jwtSvidOf(A, ORDERS, {}, { jku: 'https://x' }), 'svid_malformed'],
  ['of the trust domain itself', jwtSvidOf(A, 'spiffe://a.test'), 'svid_malformed'],
  ['with dots in its path', jwtSvidOf(A, 'spiffe://a.test/x/../orders'), 'svid_malformed'],
  ['in capitals', jwtSvidOf(A, 'spiffe://A.test/orders'), 'svid_malformed'],
  ['that is none', 'x.y.z', 'svid_malformed'],
])('a JWT-SVID %s is refused', async (_what, svid, why) => {
  const answer = await askByJwtSvid(scene, svid);
  expect(answer.status).toBe(401);
  expect(jsonOf(answer).error).toBe('invalid_client');
  expect(reason()).toBe(why);
});

test('it needs the client_id beside it, and a client that does not exist is answered the same', async () => {
  const refused = [
    await askByJwtSvid(scene, jwtSvidOf(A, ORDERS), {}),
    await askByJwtSvid(scene, jwtSvidOf(A, ORDERS), { client_id: 'nobody' }),
    await askByJwtSvid(scene, jwtSvidOf(B, ORDERS), { client_id: 'nobody' }),
  ];
  for (const answer of refused) {
    expect(answer.status).toBe(401);
    expect(answer.body).toBe(refused[0]?.body);
  }
});

test('a client assertion is none, and a JWT-SVID is no client assertion', async () => {
  const key = clientKey();
  await addClientKey(scene, key);
  const assertion = assertionOf(key, Math.floor(NOW / 1000));
  expect((await askByJwtSvid(scene, assertion)).status).toBe(401);
  const form = assertionForm(jwtSvidOf(A, ORDERS), { client_id: 'payments' });
  expect((await scene.ask(form, { authorization: null })).status).toBe(401);
});

test('two proofs in one request are one too many', async () => {
  const parameters = { client_id: 'payments', client_secret: scene.secret };
  expect((await askByJwtSvid(scene, jwtSvidOf(A, ORDERS), parameters)).status).toBe(400);
  expect(reason()).toBe('several_client_auth_methods');
});

test('a trust domain that is not trusted any more proves nobody', async () => {
  const svid = jwtSvidOf(A, ORDERS);
  expect((await askByJwtSvid(scene, svid)).status).toBe(200);
  const record = await scene.storage.trustDomains.byTrustDomain('a.test');
  if (record === undefined) throw new Error('it is there');
  await scene.storage.trustDomains.replace({ ...record, state: 'deleted', version: 2 });
  expect((await askByJwtSvid(scene, svid)).status).toBe(401);
  expect(reason()).toBe('svid_trust_domain_unknown');
});
