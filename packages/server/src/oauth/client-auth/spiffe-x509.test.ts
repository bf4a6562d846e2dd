import { afterEach, beforeEach, expect, test } from 'vitest';
import { addTlsClient, askByCertificate } from '../../../test/client-authority.ts';
import { addSpiffe, declareDomain, otherDomain, x509SvidOf } from '../../../test/svid-scene.ts';
import { issueTo, TRUST_DOMAIN } from '../../../test/issuing.ts';
import { NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { readPem } from '../../x509/pem.ts';

const A = otherDomain('a.test');
const B = otherDomain('b.test');
const ORDERS = 'spiffe://a.test/orders';
let scene: TokenScene;

beforeEach(async () => {
  scene = await openTokenScene({ clientCertificates: true });
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

test('an X.509-SVID of a declared trust domain gets a token', async () => {
  const answer = await askByCertificate(scene, [x509SvidOf(A, [ORDERS])]);
  expect(answer.status, String(answer.body)).toBe(200);
  expect(scene.log.events.at(-1)).toMatchObject({ type: 'token.issued', method: 'spiffe_x509' });
});

test.each([
  ['that another declared trust domain signed', () => x509SvidOf(B, [ORDERS]), 'certificate_untrusted'],
  ['of another workload', () => x509SvidOf(A, ['spiffe://a.test/ledger']), 'certificate_subject_mismatch'],
  ['that has expired', () => x509SvidOf(A, [ORDERS], { notAfter: NOW - 1000 }), 'certificate_expired'],
  ['with two URIs', () => x509SvidOf(A, [ORDERS, 'https://x']), 'certificate_subject_mismatch'],
  ['without any', () => x509SvidOf(A, ['https://x']), 'certificate_subject_mismatch'],
  [
    'whose name has dots in it',
    () => x509SvidOf(A, ['spiffe://a.test/x/../orders']),
    'certificate_subject_mismatch',
  ],
])('a certificate %s is refused', async (_what, issued, why) => {
  const answer = await askByCertificate(scene, [issued()]);
  expect(answer.status).toBe(401);
  expect(reason()).toBe(why);
});

test('one of this deployment proves its own machine, until it is revoked with its credential', async () => {
  const own = `spiffe://${TRUST_DOMAIN}/${scene.identity.kind}/payments`;
  await addSpiffe(scene, own);
  const { chain, record } = await issueTo(scene);
  const shown = (readPem(chain, 'CERTIFICATE') ?? []).map((der) => ({ der }));
  expect((await askByCertificate(scene, shown)).status).toBe(200);
  expect(scene.log.events.at(-1)).toMatchObject({ method: 'spiffe_x509' });
  const credential = await scene.storage.credentials.byId(record.credentialId);
  if (credential === undefined) throw new Error('it is there');
  await scene.storage.credentials.replace({
    ...credential,
    state: 'revoked',
    version: credential.version + 1,
  });
  expect((await askByCertificate(scene, shown)).status).toBe(401);
  expect(reason()).toBe('certificate_revoked');
});

test('a client with another credential for certificates proves itself by that as before', async () => {
  await addTlsClient(scene, A.authority, { field: 'subject_dn', value: 'CN=payments' });
  expect((await askByCertificate(scene, [A.authority.issue()])).status).toBe(200);
  expect(scene.log.events.at(-1)).toMatchObject({ method: 'tls_client_auth' });
});
