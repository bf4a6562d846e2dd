import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { askByCertificate } from './wire/certificate-client.ts';
import type { ShownCertificate } from './wire/certificates.ts';
import {
  EC,
  opensslRequest,
  opensslVerify,
  type RequestAsk,
  requireOpenssl,
} from './wire/certification-request.ts';
import { type Answer, jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { FORM, formBody } from './wire/token-request.ts';

// The built-in authority of certificates, with requests that openssl made and chains that openssl verifies.
describe.runIf(mayStartServers())('the built-in authority (needs the countersign command)', () => {
  let folder: string;
  let authority: RunningAuthority;
  let base: string;
  let issuer: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-certificates-'));
    authority = await startAuthority({ folder, args: ['--mtls-port', '0'] });
    base = String(authority.ready.mtls_base);
    issuer = String(authority.ready.issuer);
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A client of its own, whose API wants tokens bound to certificates. */
  async function scene(stem: string): Promise<SeededScene> {
    const seeded = await seedScene(stem, authority.target);
    const path = `/resource-servers/${seeded.resourceServerId}`;
    const changed = await seeded.admin.change('PATCH', path, { sender_constraint: 'mtls' });
    expect(changed.status, changed.text).toBe(200);
    return seeded;
  }
  const published = (path: string): Promise<Answer> => send(`${issuer}${path}`, { ca: authority.target.ca });
  const ask = (from: SeededScene, shown: ShownCertificate): Promise<Answer> =>
    askByCertificate(`${base}/oauth/token`, from, { shown });
  const renew = (from: SeededScene, shown: ShownCertificate | undefined, csr: string): Promise<Answer> =>
    send(`${base}/oauth/certificate`, {
      method: 'POST',
      headers: [['Content-Type', FORM]],
      body: formBody({ client_id: from.machine.id, csr }),
      ca: authority.target.ca,
      certificate: shown,
    });

  async function issue(
    from: SeededScene,
    context: TestContext,
    asked: RequestAsk = {},
  ): Promise<{ shown: ShownCertificate; issued: Record<string, unknown> }> {
    const { csr, key } = opensslRequest(context, asked);
    const path = `/identities/${from.machine.identityId}/certificates`;
    const issued = await from.admin.must('POST', path, { csr });
    return { issued, shown: shownBy(String(issued['chain']), key) };
  }

  test.for<[string, readonly string[]]>([
    ['P-256', EC],
    ['P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA', ['rsa:2048']],
    ['Ed25519', ['ed25519']],
  ])(
    'a request for a key on %s: openssl verifies its certificate, and it gets a token that is bound to it',
    async ([, key], context) => {
      const from = await scene('certificate');
      const { shown, issued } = await issue(from, context, { key });
      const roots = await published('/ca/roots');
      expect(roots.headers['content-type']).toBe('application/pem-certificate-chain');
      expect(roots.text).toBe(issued['root']);
      const crl = await published(`/ca/crl/${String(issued['authority'])}.pem`);
      for (const purpose of ['sslclient', 'sslserver'] as const) {
        const verified = opensslVerify(context, {
          root: roots.text,
          chain: shown.cert,
          leaf: String(issued['certificate']),
          crl: crl.text,
          purpose,
        });
        expect(verified, verified.text).toMatchObject({ ok: true });
      }
      const certificate = new X509Certificate(shown.cert);
      const spiffeId = `spiffe://${new URL(issuer).hostname}/service/${from.machine.id}`;
      expect(certificate.subjectAltName).toBe(`URI:${spiffeId}`);
      expect(certificate.subject).toBe(`CN=${from.machine.id}\nserialNumber=${String(issued['credential'])}`);
      expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
      expect(issued).toMatchObject({ spiffe_id: spiffeId, state: 'valid', issued_by: 'administration' });
      const { token } = expectToken(await ask(from, shown));
      const { claims } = decodeJwt(token);
      expect(claims['crd']).toBe(issued['credential']);
      expect(claims['cnf']).toEqual({ 'x5t#S256': shown.thumbprint });
      expect(issued['thumbprint']).toBe(shown.thumbprint);
    },
  );

  // RFC 3279 §2.3.1, §2.3.5: OPC UA wants all of what an RSA key can do (OPC 10000-6 §6.2.2), and of others nothing more.
  test.for<[string, readonly string[], string]>([
    ['RSA', ['rsa:2048'], 'Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment'],
    ['P-256', EC, 'Digital Signature'],
  ])('a certificate for a key on %s says what such a key is used for', async ([, key, uses], context) => {
    const { shown } = await issue(await scene('uses'), context, { key });
    const said = execFileSync(requireOpenssl(context), ['x509', '-noout', '-ext', 'keyUsage'], {
      input: shown.cert,
      encoding: 'utf8',
    });
    expect(said.trim().split(/\n\s*/)).toEqual(['X509v3 Key Usage: critical', uses]);
  });

  test('names and extensions that are asked for are not given', async (context) => {
    const from = await scene('smuggler');
    const { shown } = await issue(from, context, {
      subject: '/O=Other/CN=admin',
      extensions: [
        'subjectAltName=URI:spiffe://localhost/service/admin,DNS:admin.example,IP:127.0.0.1,email:a@example.com',
        'basicConstraints=critical,CA:true',
        'keyUsage=critical,keyCertSign,cRLSign',
        'extendedKeyUsage=codeSigning',
      ],
    });
    const certificate = new X509Certificate(shown.cert);
    expect(certificate.ca).toBe(false);
    expect(certificate.subjectAltName).toMatch(/^URI:[^,]+$/);
    expect(certificate.subjectAltName).not.toContain('admin');
    expect(certificate.subject).not.toContain('admin');
  });

  test('a machine renews with the certificate that it has, and with no scope', async (context) => {
    const from = await scene('renewer');
    const { shown, issued } = await issue(from, context);
    const next = opensslRequest(context);
    const answer = await renew(from, shown, next.csr);
    expect(answer.status, answer.text).toBe(200);
    const renewed = jsonOf(answer);
    expect(renewed).toMatchObject({ credential: issued['credential'], spiffe_id: issued['spiffe_id'] });
    const second = shownBy(String(renewed['certificate']), next.key);
    expect(second.thumbprint).not.toBe(shown.thumbprint);
    const { claims } = decodeJwt(expectToken(await ask(from, second)).token);
    expect(claims['cnf']).toEqual({ 'x5t#S256': second.thumbprint });
    expectToken(await ask(from, shown));
    const listed = await from.admin.all(`/identities/${from.machine.identityId}/certificates`);
    expect(listed.map((each) => each['issued_by'])).toEqual(['administration', 'itself']);
    const [one] = await from.admin.all(`/certificates?serial_number=${String(renewed['serial_number'])}`);
    expect(one?.['thumbprint']).toBe(second.thumbprint);
  });

  test('for itself and nobody else: a certificate of another machine renews nothing', async (context) => {
    const [one, other] = [await scene('one'), await scene('other')];
    const { shown } = await issue(one, context);
    const own = await issue(other, context);
    const { csr } = opensslRequest(context);
    expectOAuthError(await renew(other, shown, csr), 401, 'invalid_client');
    expectOAuthError(await renew(other, undefined, csr), 401, 'invalid_client');
    expect((await renew(other, own.shown, csr)).status).toBe(200);
  });

  test('a key that another machine has had is refused', async (context) => {
    const [one, other] = [await scene('first'), await scene('second')];
    const { csr } = opensslRequest(context);
    await one.admin.must('POST', `/identities/${one.machine.identityId}/certificates`, { csr });
    await one.admin.must('POST', `/identities/${one.machine.identityId}/certificates`, { csr });
    const path = `/identities/${other.machine.identityId}/certificates`;
    const answer = await other.admin.call('POST', path, { body: { csr } });
    expect(answer.status, answer.text).toBe(400);
    expect(answer.text).toContain('another identity');
  });

  test('one that is revoked is refused at once, is on the list, and its tokens are cut off; the others go on', async (context) => {
    const from = await scene('revoked');
    const { shown, issued } = await issue(from, context);
    const other = await issue(from, context);
    expectToken(await ask(from, shown));
    const listPath = `/ca/crl/${String(issued['authority'])}.pem`;
    const before = await published(listPath);
    const body = { reason: 'the key was copied', code: 'key_compromise' };
    const revoked = await from.admin.must('POST', `/certificates/${String(issued['id'])}/revoke`, body);
    expect(revoked).toMatchObject({ state: 'revoked', revocation_reason: 'key_compromise' });
    expectOAuthError(await ask(from, shown), 401, 'invalid_client');
    expectOAuthError(await renew(from, shown, opensslRequest(context).csr), 401, 'invalid_client');
    expectToken(await ask(from, other.shown));
    const after = await published(listPath);
    expect(after.headers.etag).not.toBe(before.headers.etag);
    const check = (leaf: unknown) =>
      opensslVerify(context, {
        root: String(issued['root']),
        chain: shown.cert,
        leaf: String(leaf),
        crl: after.text,
      });
    expect(check(issued['certificate'])).toMatchObject({
      ok: false,
      text: expect.stringContaining('certificate revoked'),
    });
    expect(check(other.issued['certificate'])).toMatchObject({ ok: true });
    const again = await send(`${issuer}${listPath}`, {
      ca: authority.target.ca,
      headers: [['If-None-Match', String(after.headers.etag)]],
    });
    expect(again.status).toBe(304);
    const der = await published(listPath.replace(/\.pem$/, ''));
    expect(der.headers['content-type']).toBe('application/pkix-crl');
    expect(after.text).toContain(der.bytes.toString('base64').slice(0, 60));
  });

  test.for(['identity', 'credential'] as const)(
    'who is cut off by its %s gets nothing more, and is on the list',
    async (kind, context) => {
      const from = await scene('cutoff');
      const { shown, issued } = await issue(from, context);
      expectToken(await ask(from, shown));
      const id = kind === 'identity' ? from.machine.identityId : String(issued['credential']);
      await from.admin.must('POST', '/cutoffs', { kind, id, reason: 'stolen' });
      expectOAuthError(await ask(from, shown), 401, 'invalid_client');
      expectOAuthError(await renew(from, shown, opensslRequest(context).csr), 401, 'invalid_client');
      const crl = await published(`/ca/crl/${String(issued['authority'])}.pem`);
      const { text } = opensslVerify(context, {
        root: String(issued['root']),
        chain: shown.cert,
        leaf: String(issued['certificate']),
        crl: crl.text,
      });
      expect(text).toContain('certificate revoked');
      if (kind === 'identity') {
        const { csr } = opensslRequest(context);
        const path = `/identities/${from.machine.identityId}/certificates`;
        expect((await from.admin.call('POST', path, { body: { csr } })).status).toBe(409);
      }
    },
  );

  test('who is being decommissioned is on the list once it is stopped, and not before', async (context) => {
    const from = await scene('ending');
    const { shown, issued } = await issue(from, context);
    const revoked = async (): Promise<boolean> => {
      const crl = await published(`/ca/crl/${String(issued['authority'])}.pem`);
      const { ok, text } = opensslVerify(context, {
        root: String(issued['root']),
        chain: shown.cert,
        leaf: String(issued['certificate']),
        crl: crl.text,
      });
      if (!ok) expect(text).toContain('certificate revoked');
      return !ok;
    };
    const path = `/identities/${from.machine.identityId}`;
    await from.admin.must('POST', `${path}/decommission`, { reason: 'replaced', force: true });
    expectToken(await ask(from, shown));
    expect(await revoked()).toBe(false);
    await from.admin.must('POST', `${path}/restore`, { reason: 'needed still' });
    await from.admin.must('POST', `${path}/decommission`, { reason: 'replaced', now: true, force: true });
    expectOAuthError(await ask(from, shown), 401, 'invalid_client');
    expect(await revoked()).toBe(true);
    expect((await from.admin.must('GET', path))['state']).toBe('decommissioning');
  });

  test('certificates of devices last longer, and say where the list is', async (context) => {
    const from = await scene('device');
    const device = await from.admin.must('POST', '/identities', {
      name: 'sensor',
      kind: 'device',
      environment: 'test',
      purpose: 'measures',
      owner: { person: 'robin@example.com' },
      expires_at: new Date(Date.now() + 400 * 86_400_000).toISOString(),
    });
    const { csr } = opensslRequest(context);
    const issued = await from.admin.must('POST', `/identities/${String(device['id'])}/certificates`, { csr });
    const lasts = Date.parse(String(issued['expires_at'])) - Date.now();
    expect(Math.round(lasts / 86_400_000)).toBe(30);
    const text = new X509Certificate(String(issued['certificate'])).raw.toString('latin1');
    expect(text).toContain(`${issuer}/ca/crl/${String(issued['authority'])}`);
    const short = await from.admin.must('POST', `/identities/${String(device['id'])}/certificates`, {
      csr,
      lifetime: '1h',
    });
    expect(Date.parse(String(short['expires_at'])) - Date.now()).toBeLessThan(3_600_001);
    const long = { csr, lifetime: '31d' };
    const path = `/identities/${String(device['id'])}/certificates`;
    expect((await from.admin.call('POST', path, { body: long })).status).toBe(400);
  });
});

function shownBy(cert: string, key: string): ShownCertificate {
  const der = new X509Certificate(cert).raw;
  return { cert, key, der, thumbprint: createHash('sha256').update(der).digest('base64url') };
}
