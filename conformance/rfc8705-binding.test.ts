import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { askByCertificate, registerCertificate } from './wire/certificate-client.ts';
import { selfSigned, type ShownCertificate } from './wire/certificates.ts';
import { comparable, jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { resumable } from './wire/resumed-session.ts';
import { accessBody, makeMachine, resourceServerBody } from './wire/admin.ts';
import { freshName, type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { basic, FORM, formBody } from './wire/token-request.ts';

// RFC 8705: registered certificates (section 2.2) and tokens bound to certificates (section 3), on the port that asks for them.
describe.runIf(mayStartServers())('RFC 8705 (needs the countersign command)', () => {
  let folder: string;
  let authority: RunningAuthority;
  let scene: SeededScene;
  let endpoint: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-rfc8705-'));
    authority = await startAuthority({ folder, args: ['--mtls-port', '0'] });
    scene = await seedScene('rfc8705', authority.target);
    endpoint = `${String(authority.ready.mtls_base)}/oauth/token`;
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (shown: ShownCertificate | undefined, more: Parameters<typeof askByCertificate>[2] = {}) =>
    askByCertificate(endpoint, scene, { shown, ...more });
  const wanting = async (senderConstraint: string): Promise<void> => {
    const path = `/resource-servers/${scene.resourceServerId}`;
    const answer = await scene.admin.change('PATCH', path, { sender_constraint: senderConstraint });
    expect(answer.status, answer.text).toBe(200);
  };

  test('section 2.2: the registered certificate proves its client, and no other one of the same name', async (context) => {
    const own = selfSigned(context, 'payments');
    const other = selfSigned(context, 'payments');
    const before = await ask(own);
    await registerCertificate(scene, own.cert);
    expectToken(await ask(own));
    const refused = await ask(other);
    expectOAuthError(refused, 401, 'invalid_client');
    expect(comparable(refused)).toBe(comparable(before));
  });

  test('section 2: client_id is needed, and the right one', async (context) => {
    const own = selfSigned(context, 'payments');
    await registerCertificate(scene, own.cert);
    const body = formBody({ grant_type: 'client_credentials' });
    const form = { method: 'POST', headers: [['Content-Type', FORM]] as const, ca: authority.target.ca };
    expectOAuthError(await send(endpoint, { ...form, body, certificate: own }), 401, 'invalid_client');
    const params = { client_id: String(authority.target.admin?.client.id) };
    expectOAuthError(await ask(own, { params }), 401, 'invalid_client');
  });

  test('section 2: without a certificate, or at the port that does not ask, there is no proof', async (context) => {
    const own = selfSigned(context, 'payments');
    await registerCertificate(scene, own.cert);
    expectOAuthError(await ask(undefined), 401, 'invalid_client');
    const answer = await askByCertificate(authority.target.tokenEndpoint, scene, { shown: own });
    expectOAuthError(answer, 401, 'invalid_client');
  });

  test('threat 23: a resumed session is judged anew', async (context) => {
    const own = selfSigned(context, 'payments');
    const credential = await registerCertificate(scene, own.cert);
    const first = await resumable(endpoint, own, scene);
    expect([first.resumed, first.status]).toEqual([false, 200]);
    const second = await resumable(endpoint, own, scene, first.session);
    expect([second.resumed, second.status]).toEqual([true, 200]);
    const revoked = await scene.admin.change('DELETE', `/credentials/${credential}`);
    expect(revoked.status, revoked.text).toBe(200);
    const third = await resumable(endpoint, own, scene, first.session);
    expect([third.resumed, third.status]).toEqual([true, 401]);
  });

  test('section 3: a token is bound to the certificate, where the resource server wants it', async (context) => {
    const own = selfSigned(context, 'payments');
    await registerCertificate(scene, own.cert);
    expect(decodeJwt(expectToken(await ask(own)).token).claims).not.toHaveProperty('cnf');
    await wanting('mtls');
    try {
      const { token } = expectToken(await ask(own));
      expect(decodeJwt(token).claims['cnf']).toEqual({ 'x5t#S256': own.thumbprint });
      // Section 4: however the client authenticates.
      const other = selfSigned(context, 'another');
      const authorization = ['Authorization', basic(scene.client)] as const;
      const bySecret = expectToken(await ask(other, { headers: [authorization] }));
      expect(decodeJwt(bySecret.token).claims['cnf']).toEqual({ 'x5t#S256': other.thumbprint });
      expectOAuthError(await ask(undefined, { headers: [authorization] }), 400, 'invalid_request');
      // Section 3.2.
      const about = await send(`${authority.target.issuer}/oauth/introspect`, {
        method: 'POST',
        headers: [authorization, ['Content-Type', FORM]],
        body: formBody({ token }),
        ca: authority.target.ca,
      });
      expect(jsonOf(about)).toMatchObject({ active: true, cnf: { 'x5t#S256': own.thumbprint } });
    } finally {
      await wanting('none');
    }
  });

  test('sections 3.3 and 5: the metadata says so, and where', async () => {
    const url = `${authority.target.issuer}/.well-known/oauth-authorization-server`;
    const metadata = jsonOf(await send(url, { ca: authority.target.ca }));
    expect(metadata).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      mtls_endpoint_aliases: { token_endpoint: endpoint },
    });
    for (const name of ['token', 'introspection', 'revocation']) {
      const methods = metadata[`${name}_endpoint_auth_methods_supported`];
      expect(methods).toEqual(expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']));
    }
  });

  test('section 3 and RFC 8693: a bound token is exchanged with its certificate, and never for a bearer token', async (context) => {
    const [own, other] = [selfSigned(context, 'payments'), selfSigned(context, 'payments')];
    const next = await seedScene('rfc8705-next', authority.target);
    const path = `/resource-servers/${scene.resourceServerId}`;
    const { scopes } = resourceServerBody(scene.resource, [...scene.scopes, 'tokens:exchange']);
    expect((await scene.admin.change('PATCH', path, { scopes })).status).toBe(200);
    await wanting('mtls');
    const api = await makeMachine(scene.admin, freshName('acts'));
    await scene.admin.must(
      'POST',
      '/access',
      accessBody(api.identityId, scene.resource, ['tokens:exchange']),
    );
    for (const identity of [api.identityId, scene.machine.identityId])
      await scene.admin.must('POST', '/access', accessBody(identity, next.resource, ['read']));
    await registerCertificate(scene, own.cert);
    const { token } = expectToken(await ask(own, { params: { resource: scene.resource } }));
    const exchange = (shown: ShownCertificate) =>
      send(endpoint, {
        method: 'POST',
        ca: authority.target.ca,
        certificate: shown,
        headers: [
          ['Content-Type', FORM],
          ['Authorization', basic(api)],
        ],
        body: formBody({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          resource: next.resource,
        }),
      });
    expectOAuthError(await exchange(own), 400, 'invalid_request');
    const wants = { sender_constraint: 'mtls' };
    await scene.admin.change('PATCH', `/resource-servers/${next.resourceServerId}`, wants);
    expectOAuthError(await exchange(other), 400, 'invalid_request');
    const claims = (given: string) => decodeJwt(given).claims;
    const exchanged = claims(expectToken(await exchange(own)).token);
    expect(exchanged).toMatchObject({ sub: scene.machine.id, cnf: claims(token)['cnf'] });
    await wanting('none');
  });
});
