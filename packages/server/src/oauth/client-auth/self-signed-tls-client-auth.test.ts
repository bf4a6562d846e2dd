// Clients that prove themselves by the certificate of their connection: RFC 8705 §2, RFC 6749 §2.3.
import { X509Certificate } from 'node:crypto';
import { formatBasicCredentials } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificate, type TestCertificate } from '../../../test/client-certificate.ts';
import {
  type Ask,
  changed,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import { credentialRecord, identityRecord } from '../../storage/contract/records.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';

const own = testCertificate({ subject: 'payments' });
const other = testCertificate({ subject: 'payments' });

let scene: TokenScene;
let credential: CredentialRecord;
beforeEach(async () => {
  scene = await openTokenScene({ clientCertificates: true });
  credential = await register(scene, own);
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

async function register(
  { storage, identity }: TokenScene,
  certificate: TestCertificate,
  change: Partial<CredentialRecord> = {},
): Promise<CredentialRecord> {
  const { pem, thumbprint } = certificate;
  const material = { type: 'self_signed_tls_client_auth', certificate: pem, thumbprint } as const;
  const record = credentialRecord(identity.id, { material, ...change });
  await storage.credentials.insert(record);
  return record;
}

const showing = (certificate: TestCertificate): Partial<HttpRequest> => ({
  clientCertificate: { chain: [certificate.der], source: 'tls' },
});
const ask = (
  certificate: TestCertificate,
  more = 'client_id=payments',
  change: Ask = {},
): Promise<HttpResponse> =>
  scene.ask(more, { authorization: null, request: showing(certificate), ...change });
const reasons = (): unknown[] => scene.strangers.map(({ event }) => event.reason);

describe('self_signed_tls_client_auth', () => {
  it('takes the registered certificate with the client_id, and is called so in the log', async () => {
    const answer = await ask(own);
    expect([answer.status, jsonOf(answer).token_type]).toEqual([200, 'Bearer']);
    expect(scene.log.events[0]).toMatchObject({
      identity: 'payments',
      credential: credential.id,
      method: 'self_signed_tls_client_auth',
      instance: new X509Certificate(own.der).serialNumber.toLowerCase(),
    });
    await ask(own, 'client_id=payments', { headers: ['Countersign-Instance', 'pod-7'] });
    expect(scene.log.events[1]?.instance).toBe('pod-7');
  });

  it('is refused with one answer, whatever is wrong', async () => {
    const stranger = await ask(own, 'client_id=nobody');
    const answers = [
      await ask(other),
      await ask(own, ''),
      await scene.ask('client_id=payments', { authorization: null }),
      await ask(testCertificate({ subject: 'payments', issuer: { subject: 'payments', certificate: own } })),
    ];
    await scene.storage.credentials.replace(changed(credential, { state: 'revoked' }));
    answers.push(await ask(own));
    for (const answer of answers) expect(answer).toEqual(stranger);
    expect(stranger.status).toBe(401);
    expect(reasons()).toEqual([
      'client_unknown',
      'certificate_mismatch',
      'client_authentication_missing',
      'certificate_missing',
      'certificate_mismatch',
      'credential_revoked',
    ]);
  });

  it('is refused from the end of its credential on, and before its beginning', async () => {
    await scene.storage.credentials.replace(changed(credential, { expiresAt: NOW }));
    expect((await ask(own)).status).toBe(401);
    await register(scene, other, { notBeforeAt: NOW + 1 });
    expect((await ask(other)).status).toBe(401);
    expect(reasons()).toEqual(['credential_expired', 'credential_not_yet_valid']);
  });

  it('never takes the certificate of another identity', async () => {
    const ledger = identityRecord({ clientId: 'ledger' });
    await scene.storage.identities.insert(ledger);
    expect((await ask(own, 'client_id=ledger')).status).toBe(401);
  });

  it('takes both certificates while one replaces the other', async () => {
    await register(scene, other);
    expect([(await ask(own)).status, (await ask(other)).status]).toEqual([200, 200]);
  });

  it('proves a client at introspection and revocation too', async () => {
    const token = jsonOf(await ask(own)).access_token as string;
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      const form = {
        body: Buffer.from(`client_id=payments&token=${token}`),
        rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
      };
      expect((await scene.call(path, { ...form, ...showing(own) })).status).toBe(200);
      expect((await scene.call(path, { ...form, ...showing(other) })).status).toBe(401);
    }
  });

  it('stands in the metadata where certificates are seen', async () => {
    const of = async (s: TokenScene): Promise<unknown[]> => {
      const document = jsonOf(await s.call('/.well-known/oauth-authorization-server'));
      return [
        document.token_endpoint_auth_methods_supported.includes('self_signed_tls_client_auth'),
        document.tls_client_certificate_bound_access_tokens,
      ];
    };
    expect(await of(scene)).toEqual([true, true]);
    const without = await openTokenScene();
    expect(await of(without)).toEqual([false, undefined]);
    await without.close();
  });
});

describe('a certificate beside another proof', () => {
  it('of a client proves nothing, so the other one counts', async () => {
    const basic = formatBasicCredentials('payments', scene.secret);
    for (const answer of [
      await ask(other, 'client_id=payments', { authorization: basic }),
      await ask(other, `client_id=payments&client_secret=${scene.secret}`),
    ]) {
      expect(answer.status).toBe(200);
    }
    expect((await ask(own, 'client_id=payments', { authorization: 'Basic !' })).status).toBe(401);
    expect((await ask(own, 'client_id=payments&client_secret=wrong')).status).toBe(401);
  });
});

describe('a header that names a certificate', () => {
  it.each([
    ['spoofed', 'client_certificate_header_spoofed'],
    ['malformed', 'client_certificate_header_malformed'],
  ] as const)('and is %s refuses the request, whatever else it proves', async (fault, reason) => {
    const answer = await scene.ask('', { request: { clientCertificateFault: fault } });
    expect([answer.status, jsonOf(answer).error]).toEqual([401, 'invalid_client']);
    expect(reasons()).toEqual([reason]);
  });

  it('hurts nobody who proves something else where no such header is believed, and is recorded where nothing is', async () => {
    const headers = ['X-SSL-Client-Cert', 'x'];
    expect((await scene.ask('', { headers })).status).toBe(200);
    const tried = await scene.ask('client_id=payments', { authorization: null, headers });
    expect(tried).toEqual(await scene.ask('client_id=payments', { authorization: null }));
    expect(reasons()).toEqual(['client_certificate_header_spoofed', 'certificate_missing']);
  });
});
