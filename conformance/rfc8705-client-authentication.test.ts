import { Agent } from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import {
  type Authority,
  certificateAuthority,
  FOR_AUTHORITIES,
  FOR_CLIENTS,
} from './wire/certificate-authority.ts';
import { askByCertificate, registerCertificate, registerIssuer } from './wire/certificate-client.ts';
import type { ShownCertificate } from './wire/certificates.ts';
import { withPublicKey } from './wire/der.ts';
import { type Answer, comparable, jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { explained } from './wire/federation.ts';
import { decodeJwt } from './wire/jwt.ts';
import { resumable } from './wire/resumed-session.ts';
import { type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { basic, FORM, formBody } from './wire/token-request.ts';

// RFC 8705 section 2.1: tls_client_auth, with certificates that openssl made, on the port that asks for them.
describe.runIf(mayStartServers())('RFC 8705 section 2.1 (needs the countersign command)', () => {
  let folder: string;
  let authority: RunningAuthority;
  let scene: SeededScene;
  let endpoint: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-rfc8705-'));
    authority = await startAuthority({ folder, args: ['--mtls-port', '0'] });
    endpoint = `${String(authority.ready.mtls_base)}/oauth/token`;
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  let scenes = 0;
  /** A client of its own, which has certificates of this authority under this name. */
  async function withClient(material: Parameters<typeof registerIssuer>[1]): Promise<string> {
    scene = await seedScene(`tls${scenes++}`, authority.target);
    return await registerIssuer(scene, material);
  }
  const ask = (shown: ShownCertificate | undefined, more: Parameters<typeof askByCertificate>[2] = {}) =>
    askByCertificate(endpoint, scene, { shown, ...more });
  async function expectRefused(shown: ShownCertificate): Promise<Answer> {
    const answer = await ask(shown);
    expectOAuthError(answer, 401, 'invalid_client');
    return answer;
  }
  const named = (names: string): readonly string[] => [...FOR_CLIENTS, `subjectAltName=${names}`];

  test.for<[string, string, string, string]>([
    ['subject_dn', 'CN=payments,OU=a+L=b,O=Example', '/O=Example/OU=a+L=b/CN=payments', 'DNS:x.test'],
    ['san_dns', 'payments.test', '/CN=x', 'DNS:other.test,DNS:Payments.test'],
    ['san_uri', 'spiffe://td.test/payments', '/CN=x', 'URI:spiffe://td.test/payments'],
    ['san_ip', '2001:db8::7', '/CN=x', 'IP:192.0.2.1,IP:2001:DB8:0:0:0:0:0:7'],
    ['san_email', 'payments@example.test', '/CN=x', 'email:payments@EXAMPLE.test'],
  ])('section 2.1.2: %s names the client', async ([field, value, subject, names], context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    const credential = await withClient({ [field]: value, ca: clients.pem });
    const { token } = expectToken(await ask(clients.issue(subject, named(names))));
    expect(decodeJwt(token).claims['crd']).toBe(credential);
    await expectRefused(clients.issue('/CN=other', named('DNS:a.test,URI:spiffe://td.test/a')));
  });

  test('section 2.1.2: exactly one field is registered', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ subject_dn: 'CN=a', ca: clients.pem });
    const two = { subject_dn: 'CN=a', san_dns: 'a.test', ca: clients.pem };
    await expect(registerIssuer(scene, two)).rejects.toThrow(/400/);
    await expect(registerIssuer(scene, { ca: clients.pem })).rejects.toThrow(/400/);
  });

  test('section 2: client_id is needed, and without a certificate it proves nothing', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ subject_dn: 'CN=payments', ca: clients.pem });
    const shown = clients.issue('/CN=payments');
    const form = { method: 'POST', headers: [['Content-Type', FORM]] as const, ca: authority.target.ca };
    const body = formBody({ grant_type: 'client_credentials' });
    expectOAuthError(await send(endpoint, { ...form, body, certificate: shown }), 401, 'invalid_client');
    const other = await ask(shown, { params: { client_id: 'nobody' } });
    expectOAuthError(other, 401, 'invalid_client');
    const without = await ask(undefined);
    expectOAuthError(without, 401, 'invalid_client');
    expect(comparable(without)).toBe(comparable(other));
    expectToken(await ask(shown));
  });

  test('section 5: who comes to the port without certificates is refused as ever, and the operator is told the alias', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ subject_dn: 'CN=payments', ca: clients.pem });
    const plain = authority.target.tokenEndpoint;
    const shown = clients.issue('/CN=payments');
    const answer = await askByCertificate(plain, scene, { shown });
    expectOAuthError(answer, 401, 'invalid_client');
    const stranger = await askByCertificate(plain, scene, { shown, params: { client_id: 'nobody' } });
    expect(comparable(answer)).toBe(comparable(stranger));
    const told = await explained(scene.admin, String(answer.headers['request-id']));
    expect(told['identity']).toMatchObject({ client_id: scene.machine.id });
    expect(told['why']).toContain('does not ask for one');
    expect(told['fix']).toContain(endpoint);
  });

  test('section 2: beside a secret a certificate is no second method, and no help to a wrong one', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    const credential = await withClient({ subject_dn: 'CN=payments', ca: clients.pem });
    const shown = clients.issue('/CN=payments');
    const headers = [['Authorization', basic(scene.client)]] as const;
    const { token } = expectToken(await ask(shown, { headers }));
    expect(decodeJwt(token).claims['crd']).not.toBe(credential);
    const wrong = [['Authorization', basic({ ...scene.client, secret: `${scene.client.secret}x` })]] as const;
    expectOAuthError(await ask(shown, { headers: wrong }), 401, 'invalid_client');
  });

  test('threat 22: a key that no checker survives ends one request and not the authority', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ subject_dn: 'CN=payments', ca: clients.pem });
    const strangers = certificateAuthority(context, '/CN=strangers').issue('/CN=middle', FOR_AUTHORITIES);
    const leaf = strangers.issue('/CN=payments');
    // RFC 5480 section 2.2, SEC 1 section 2.3.3: the point at infinity of P-256.
    const infinity = Buffer.from('3019301306072a8648ce3d020106082a8648ce3d03010703020000', 'hex');
    await expectRefused({ ...leaf, cert: leaf.pem + withPublicKey(strangers.der, infinity) });
    expectToken(await ask(clients.issue('/CN=payments')));
    const ca = withPublicKey(clients.der, infinity);
    await expect(registerIssuer(scene, { subject_dn: 'CN=a', ca })).rejects.toThrow(/400/);
    await expect(registerCertificate(scene, ca)).rejects.toThrow(/400/);
  });

  test('threat 22: what openssl verify refuses is refused, and so is what only looks right', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    const others = certificateAuthority(context, '/CN=others');
    const namesake = certificateAuthority(context, '/CN=clients');
    await withClient({ subject_dn: 'CN=payments,O=Example', ca: clients.pem });
    const subject = '/O=Example/CN=payments';
    expectToken(await ask(clients.issue(subject)));
    const without = (name: string): readonly string[] => FOR_CLIENTS.filter((line) => !line.startsWith(name));
    const answers = [
      await expectRefused(others.issue(subject)),
      await expectRefused(namesake.issue(subject)),
      await expectRefused(clients.issue('/CN=payments/O=Example')),
      await expectRefused(
        clients.issue(subject, [...without('extendedKeyUsage'), 'extendedKeyUsage=serverAuth']),
      ),
      await expectRefused(clients.issue(subject, FOR_AUTHORITIES)),
      await expectRefused(clients.issue(subject, [...without('keyUsage'), 'keyUsage=critical,keyAgreement'])),
      await expectRefused(clients.issue(subject, [...FOR_CLIENTS, '1.2.3.4=critical,ASN1:NULL'])),
      // A leaf that issues.
      await expectRefused(clients.issue('/CN=leaf').issue(subject)),
      await expectRefused(await expired(clients, subject)),
      await ask(undefined),
    ];
    expect(new Set(answers.map(comparable)).size).toBe(1);
  });

  async function expired(clients: Authority, subject: string): Promise<ShownCertificate> {
    const brief = clients.issue(subject, FOR_CLIENTS, 0);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    return brief;
  }

  test('threat 22: two URIs are one too many for san_uri', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ san_uri: 'spiffe://td.test/a', ca: clients.pem });
    expectToken(await ask(clients.issue('/CN=x', named('URI:spiffe://td.test/a'))));
    await expectRefused(clients.issue('/CN=x', named('URI:spiffe://td.test/a,URI:spiffe://td.test/b')));
    await expectRefused(clients.issue('/CN=x', named('URI:spiffe://td.test/a/')));
  });

  test('threat 22: the authority of one client says nothing about another', async (context) => {
    const [mine, theirs] = [
      certificateAuthority(context, '/CN=mine'),
      certificateAuthority(context, '/CN=theirs'),
    ];
    await withClient({ subject_dn: 'CN=payments', ca: mine.pem });
    const victim = scene;
    await withClient({ subject_dn: 'CN=other', ca: theirs.pem });
    scene = victim;
    await expectRefused(theirs.issue('/CN=payments'));
    await expectRefused(theirs.issue('/CN=other'));
    expectToken(await ask(mine.issue('/CN=payments')));
  });

  test('intermediates come along in the handshake, and constraints from above hold', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ san_dns: 'a.good.test', ca: clients.pem });
    const bounded = clients.issue('/CN=bounded', [
      ...FOR_AUTHORITIES,
      'nameConstraints=critical,permitted;DNS:good.test',
    ]);
    expectToken(await ask(bounded.issue('/CN=x', named('DNS:a.good.test'))));
    await expectRefused(bounded.issue('/CN=x', named('DNS:a.good.test,DNS:evil.test')));
    const leaf = bounded.issue('/CN=x', named('DNS:a.good.test'));
    await expectRefused({ ...leaf, cert: leaf.cert.slice(0, leaf.cert.indexOf('-----BEGIN', 1)) });
  });

  test('threat 23: a revocation list counts at the next request of the same connection', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    const shown = clients.issue('/CN=payments');
    const credential = await withClient({
      subject_dn: 'CN=payments',
      ca: clients.pem,
      crl: clients.listOf([]),
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.target.ca, ...shown });
    const again = (): Promise<Answer> =>
      send(endpoint, {
        method: 'POST',
        agent,
        headers: [['Content-Type', FORM]],
        body: formBody({ grant_type: 'client_credentials', client_id: scene.machine.id }),
      });
    try {
      expectToken(await again());
      const crl = clients.listOf([shown]);
      const patched = await scene.admin.change('PATCH', `/credentials/${credential}`, { crl });
      expect(patched.status, patched.text).toBe(200);
      expectOAuthError(await again(), 401, 'invalid_client');
    } finally {
      agent.destroy();
    }
    expectToken(await ask(clients.issue('/CN=payments')));
  });

  test('threat 23: a resumed session is judged anew, with the chain that it began with', async (context) => {
    const clients = certificateAuthority(context, '/CN=clients');
    const between = clients.issue('/CN=between', FOR_AUTHORITIES);
    const shown = between.issue('/CN=payments');
    const lists = (revoked: readonly ShownCertificate[]): string =>
      clients.listOf(revoked) + between.listOf([]);
    const material = { subject_dn: 'CN=payments', ca: clients.pem, crl: lists([]) };
    const credential = await withClient(material);
    const first = await resumable(endpoint, shown, scene);
    expect([first.resumed, first.status]).toEqual([false, 200]);
    const second = await resumable(endpoint, shown, scene, first.session);
    expect([second.resumed, second.status]).toEqual([true, 200]);
    const crl = lists([between]);
    const patched = await scene.admin.change('PATCH', `/credentials/${credential}`, { crl });
    expect(patched.status, patched.text).toBe(200);
    const third = await resumable(endpoint, shown, scene, first.session);
    expect([third.resumed, third.status]).toEqual([true, 401]);
  });

  test('section 5: the metadata name the method and the endpoints, and all three take it', async (context) => {
    const { issuer, ca } = authority.target;
    const metadata = jsonOf(await send(`${issuer}/.well-known/oauth-authorization-server`, { ca }));
    const aliases = metadata['mtls_endpoint_aliases'] as Record<string, string>;
    for (const endpoint of ['token', 'introspection', 'revocation']) {
      expect(metadata[`${endpoint}_endpoint_auth_methods_supported`]).toContain('tls_client_auth');
    }
    expect(aliases['token_endpoint']).toBe(endpoint);
    const { token, about } = await issued(context);
    expect(jsonOf(await about(String(aliases['introspection_endpoint'])))).toMatchObject({ active: true });
    expect((await about(String(aliases['revocation_endpoint']))).status).toBe(200);
    expect(jsonOf(await about(String(aliases['introspection_endpoint'])))).toEqual({ active: false });
    expect(token).not.toBe('');
  });

  async function issued(context: TestContext) {
    const clients = certificateAuthority(context, '/CN=clients');
    await withClient({ subject_dn: 'CN=payments', ca: clients.pem });
    const shown = clients.issue('/CN=payments');
    const { token } = expectToken(await ask(shown));
    const about = (url: string): Promise<Answer> =>
      send(url, {
        method: 'POST',
        headers: [['Content-Type', FORM]],
        body: formBody({ token, client_id: scene.machine.id }),
        ca: authority.target.ca,
        certificate: shown,
      });
    return { token, about };
  }
});
