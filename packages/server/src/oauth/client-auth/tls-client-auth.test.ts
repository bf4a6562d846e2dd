// tls_client_auth at the token endpoint: RFC 8705 §2.1.
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addTlsClient,
  askByCertificate,
  type ClientAuthority,
  clientAuthority,
} from '../../../test/client-authority.ts';
import { changed, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { formatBasicCredentials, TOKEN_EXCHANGE } from '@countersign/protocol';
import type { HttpResponse } from '../../http/response.ts';
import { credentialRecord, identityRecord } from '../../storage/contract/records.ts';

const DAY = 86_400_000;
let scene: TokenScene;
let authority: ClientAuthority;
beforeEach(async () => {
  scene = await openTokenScene();
  authority = clientAuthority(NOW);
});
afterEach(() => scene.close());

const reason = (): string | undefined => scene.strangers.at(-1)?.event.reason;

/** Whether a token came, or why not. */
function outcome(answer: HttpResponse): string | undefined {
  return answer.status === 200 ? 'ok' : (reason() ?? jsonOf(answer).error_description);
}

test('a client gets a token with a certificate of its authority, and the log names the method', async () => {
  await addTlsClient(scene, authority);
  const answer = await askByCertificate(scene, [authority.issue()]);
  expect(jsonOf(answer)).toMatchObject({ token_type: 'Bearer', scope: 'fraud:read fraud:write' });
  expect(scene.log.events.at(-1)).toMatchObject({ type: 'token.issued' });
  expect(JSON.stringify(scene.log.events.at(-1))).toContain('tls_client_auth');
});

test('client_id is always needed, and the certificate is of that client', async () => {
  await addTlsClient(scene, authority);
  const leaf = authority.issue();
  expect(outcome(await askByCertificate(scene, [leaf], { form: 'scope=fraud:read' }))).toBe(
    'client_authentication_missing',
  );
  expect(outcome(await askByCertificate(scene, [leaf], { form: 'client_id=billing' }))).toBe(
    'client_unknown',
  );
});

test('a client that shows no certificate is known by its name, while its credential may be used', async () => {
  await addTlsClient(scene, authority, {}, { state: 'suspended' });
  const ask = async (form: string): Promise<string | undefined> =>
    outcome(await scene.ask(form, { authorization: null }));
  expect(await ask('client_id=payments')).toBe('client_authentication_missing');
  await addTlsClient(scene, authority);
  expect(await ask('client_id=payments')).toBe('certificate_missing');
  expect(scene.strangers.at(-1)).toMatchObject({ claimed: 'payments', event: { identity: 'payments' } });
  expect(await ask('client_id=nobody')).toBe('client_authentication_missing');
  const exchange = `client_id=payments&grant_type=${encodeURIComponent(TOKEN_EXCHANGE)}`;
  expect(outcome(await scene.ask('', { authorization: null, body: exchange }))).toBe('certificate_missing');
});

test('the certificate of another client, or of the authority of another client, never passes', async () => {
  const others = clientAuthority(NOW, 'others');
  const namesake = clientAuthority(NOW);
  const other = identityRecord({ clientId: 'other' });
  await scene.storage.identities.insert(other);
  await addTlsClient(scene, authority);
  await addTlsClient({ ...scene, identity: other }, others, { value: 'CN=other' });
  const ask = async (leaf: { der: Uint8Array }, form?: string): Promise<string | undefined> =>
    outcome(await askByCertificate(scene, [leaf], form === undefined ? {} : { form }));
  expect(await ask(others.issue({ subject: 'other' }))).toBe('certificate_subject_mismatch');
  expect(await ask(others.issue())).toBe('certificate_untrusted');
  expect(await ask(namesake.issue())).toBe('certificate_untrusted');
  expect(await ask(authority.issue({ subject: 'other' }), 'client_id=other')).toBe('certificate_untrusted');
  expect(await ask(authority.issue())).toBe('ok');
});

test('beside a secret, an assertion or a key a certificate authenticates nobody', async () => {
  await addTlsClient(scene, authority);
  const chain = [authority.issue()];
  const headers = ['Authorization', formatBasicCredentials('payments', scene.secret)];
  const basic = await askByCertificate(scene, chain, { headers });
  expect([basic.status, scene.log.events.at(-1)]).toMatchObject([200, { method: 'client_secret_basic' }]);
  const wrong = ['Authorization', formatBasicCredentials('payments', `${scene.secret}x`)];
  expect(outcome(await askByCertificate(scene, chain, { headers: wrong }))).toBe('secret_mismatch');
  const form = `client_id=payments&client_secret=${scene.secret}x`;
  expect(outcome(await askByCertificate(scene, chain, { form }))).toBe('secret_mismatch');
  const key = ['X-API-Key', 'cak_x'];
  expect(outcome(await askByCertificate(scene, chain, { headers: key }))).toBe('api_key_malformed');
  const typed = 'client_id=payments&client_assertion_type=x';
  expect(outcome(await askByCertificate(scene, chain, { form: typed }))).toBe(
    'client_assertion_type_unknown',
  );
});

test('a certificate is judged at each request, whatever was found out before', async () => {
  await addTlsClient(
    scene,
    authority,
    { crl: authority.crl([], NOW + 2 * DAY) },
    { expiresAt: NOW + 9 * DAY },
  );
  const chain = [authority.issue({ notAfter: NOW + 3_600_000 })];
  const ask = async (): Promise<string | undefined> => outcome(await askByCertificate(scene, chain));
  expect([await ask(), await ask()]).toEqual(['ok', 'ok']);
  scene.clock.set(NOW + 3_601_000);
  expect(await ask()).toBe('certificate_expired');
  scene.clock.set(NOW);
  expect(await ask()).toBe('ok');
});

test('a revocation list counts from the moment it is there', async () => {
  const leaf = authority.issue();
  const record = await addTlsClient(scene, authority);
  const ask = async (): Promise<string | undefined> => outcome(await askByCertificate(scene, [leaf]));
  expect(await ask()).toBe('ok');
  const material = { ...record.material, crl: authority.crl([leaf]) } as typeof record.material;
  await scene.storage.credentials.replace(changed(record, { material }));
  expect(await ask()).toBe('certificate_revoked');
});

test('a suspended, revoked or ended credential is not helped by a good certificate, another one is', async () => {
  const leaf = authority.issue();
  const record = await addTlsClient(scene, authority, {}, { state: 'suspended' });
  const ask = async (): Promise<string | undefined> => outcome(await askByCertificate(scene, [leaf]));
  expect(await ask()).toBe('credential_suspended');
  await addTlsClient(scene, authority, {}, { expiresAt: NOW });
  const revoked = changed(record, { state: 'revoked' });
  await scene.storage.credentials.replace(revoked);
  expect(await ask()).toBe('credential_expired');
  await addTlsClient(scene, authority);
  expect(await ask()).toBe('ok');
});

test('intermediates come along, in any order and with others among them', async () => {
  await addTlsClient(scene, authority);
  const stranger = clientAuthority(NOW, 'stranger');
  expect(outcome(await askByCertificate(scene, [authority.issue(), stranger, authority]))).toBe('ok');
  const crowd = Array.from({ length: 10 }, () => stranger);
  expect(outcome(await askByCertificate(scene, [authority.issue(), ...crowd]))).toBe('certificate_malformed');
});

test('a certificate that signed itself is not for this method', async () => {
  await addTlsClient(scene, authority, { value: 'CN=clients' });
  const leaf = authority.issue({ subject: 'clients' });
  expect(outcome(await askByCertificate(scene, [leaf]))).not.toBe('ok');
});

test('a client with a secret only is refused like one that does not exist', async () => {
  const leaf = authority.issue();
  const known = await askByCertificate(scene, [leaf]);
  expect(reason()).toBe('certificate_subject_mismatch');
  const unknown = await askByCertificate(scene, [leaf], { form: 'client_id=nobody' });
  expect(known).toEqual(unknown);
});

test('introspection and revocation take it too', async () => {
  await addTlsClient(scene, authority);
  const chain = [authority.issue()];
  const { access_token: token } = jsonOf(await askByCertificate(scene, chain));
  const about = (path: string): Promise<HttpResponse> =>
    scene.call(path, {
      body: Buffer.from(`client_id=payments&token=${token}`),
      rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
      clientCertificate: { chain: chain.map(({ der }) => der), source: 'tls' },
    });
  expect(jsonOf(await about('/oauth/introspect'))).toMatchObject({ active: true, client_id: 'payments' });
  expect((await about('/oauth/revoke')).status).toBe(200);
  expect(jsonOf(await about('/oauth/introspect'))).toEqual({ active: false });
});

test('many credentials that do not match cost a bounded number of tries', async () => {
  for (let i = 0; i < 100; i++) {
    await scene.storage.credentials.insert(
      credentialRecord(scene.identity.id, {
        state: 'revoked',
        material: { type: 'tls_client_auth', field: 'subject_dn', value: 'CN=payments', ca: authority.pem },
      }),
    );
  }
  const chain = [clientAuthority(NOW).issue()];
  const began = performance.now();
  for (let i = 0; i < 10; i++) await askByCertificate(scene, chain);
  expect(performance.now() - began).toBeLessThan(5000);
});
