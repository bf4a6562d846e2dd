import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { askByCertificate, type CertificateAsk, registerCertificate } from './wire/certificate-client.ts';
import { selfSigned, type ShownCertificate } from './wire/certificates.ts';
import { type Answer, comparable, type HeaderLine, jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { basic } from './wire/token-request.ts';

const PROXY = '127.0.0.3';
/** Refusals of one source are told one by one only until there are many. */
const STRANGER = '127.0.0.4';

// RFC 9440: a declared proxy names its caller's certificate, and nobody else does.
describe.runIf(mayStartServers() && process.platform === 'linux')(
  'RFC 9440 (needs the countersign command and a loopback of many addresses)',
  () => {
    let folder: string;
    let authority: RunningAuthority;
    let scene: SeededScene;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'countersign-rfc9440-'));
      const args = ['--trusted-proxy', PROXY, '--set', 'client-cert-header=rfc9440', '--mtls-port', '0'];
      authority = await startAuthority({ folder, args });
      scene = await seedScene('rfc9440', authority.target);
    }, 60_000);
    afterAll(async () => {
      await authority?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const field = (name: string, { der }: ShownCertificate): HeaderLine => [
      name,
      `:${der.toString('base64')}:`,
    ];
    const ask = (more: CertificateAsk): Promise<Answer> =>
      askByCertificate(authority.target.tokenEndpoint, scene, { localAddress: PROXY, ...more });
    const reasonOf = async (answer: Answer): Promise<unknown> => {
      const id = String(answer.headers['request-id']);
      const events = await scene.admin.all(`${authority.target.issuer}/audit/events?request_id=${id}`);
      return events[0]?.['reason'];
    };
    const registered = async (...[context]: Parameters<typeof selfSigned>): Promise<ShownCertificate> => {
      const own = selfSigned(context, 'payments');
      await registerCertificate(scene, own.cert);
      return own;
    };

    test('section 2.2: the certificate that the proxy names proves its client', async (context) => {
      const own = await registered(context, '');
      expectToken(await ask({ headers: [field('Client-Cert', own)] }));
      expectOAuthError(await ask({}), 401, 'invalid_client');
      const other = selfSigned(context, 'payments');
      expectOAuthError(await ask({ headers: [field('Client-Cert', other)] }), 401, 'invalid_client');
    });

    test('section 2.3: what signed it may come along, and never alone', async (context) => {
      const own = await registered(context, '');
      const chain = field('Client-Cert-Chain', selfSigned(context, 'an authority'));
      expectToken(await ask({ headers: [field('Client-Cert', own), chain] }));
      expectOAuthError(await ask({ headers: [chain] }), 401, 'invalid_client');
    });

    test('section 2.2: twice, in a list or not as a byte sequence it is refused', async (context) => {
      const own = await registered(context, '');
      const [name, value] = field('Client-Cert', own);
      for (const headers of [
        [field('Client-Cert', own), field('client-cert', own)],
        [[name, `${value}, ${value}`]],
        [[name, value.slice(1, -1)]],
        [[name, encodeURIComponent(own.cert)]],
      ] as HeaderLine[][]) {
        const answer = await ask({ headers });
        expectOAuthError(answer, 401, 'invalid_client');
        expect(await reasonOf(answer)).toBe('client_certificate_header_malformed');
      }
    });

    test('threat 21: from anywhere but the declared proxy it is refused and recorded, whatever else is proved', async (context) => {
      const own = await registered(context, '');
      const names = [
        'Client-Cert',
        'Client-Cert-Chain',
        'X-SSL-Client-Cert',
        'ssl-client-cert',
        'X-Forwarded-Client-Cert',
        'X-Forwarded-Tls-Client-Cert',
        'X-Forwarded-Tls-Client-Cert-Info',
        'X-Amzn-Mtls-Clientcert',
        'X-Amzn-Mtls-Clientcert-Leaf',
        'X-Client-Cert',
        'X-ARR-ClientCert',
        'X-SSL-Client-Verify',
        'X-SSL-Client-DN',
        'X-SSL-Cert',
      ];
      expect(names).toHaveLength(14);
      const nobody = await ask({ localAddress: STRANGER });
      for (const name of names) {
        for (const headers of [
          [field(name, own)],
          [field(name, own), ['X-Forwarded-For', PROXY]],
          [field(name, own), ['Authorization', basic(scene.client)]],
        ] as HeaderLine[][]) {
          const answer = await ask({ headers, localAddress: STRANGER });
          expect(comparable(answer)).toBe(comparable(nobody));
        }
      }
      const last = await ask({ headers: [field('Client-Cert', own)], localAddress: '127.0.0.2' });
      expect(await reasonOf(last)).toBe('client_certificate_header_spoofed');
    });

    test('CVE-2026-46579: what a proxy passes on in another dialect is refused, alone and beside its own', async (context) => {
      const own = await registered(context, '');
      const smuggled: HeaderLine = ['X-SSL-Client-Cert', encodeURIComponent(own.cert)];
      for (const headers of [[smuggled], [field('Client-Cert', selfSigned(context, 'me')), smuggled]]) {
        const answer = await ask({ headers });
        expectOAuthError(answer, 401, 'invalid_client');
        expect(await reasonOf(answer)).toBe('client_certificate_header_spoofed');
      }
    });

    test('threat 21: a header beside the certificate of somebody else is refused', async (context) => {
      const own = await registered(context, '');
      const endpoint = `${String(authority.ready.mtls_base)}/oauth/token`;
      const shown = selfSigned(context, 'somebody else');
      const headers = [field('Client-Cert', own)];
      for (const localAddress of [PROXY, '127.0.0.1']) {
        const answer = await askByCertificate(endpoint, scene, { shown, headers, localAddress });
        expectOAuthError(answer, 401, 'invalid_client');
        expect(await reasonOf(answer)).toBe('client_certificate_header_spoofed');
      }
      // On its own connection it is who it is.
      expectToken(await askByCertificate(endpoint, scene, { shown: own }));
    });

    test('a bound token is bound to the certificate that the proxy names', async (context) => {
      const own = await registered(context, '');
      const path = `/resource-servers/${scene.resourceServerId}`;
      const patched = await scene.admin.change('PATCH', path, { sender_constraint: 'mtls' });
      expect(patched.status, patched.text).toBe(200);
      const { token } = expectToken(await ask({ headers: [field('Client-Cert', own)] }));
      const claims = JSON.parse(
        Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
      ) as object;
      expect(claims).toMatchObject({ cnf: { 'x5t#S256': own.thumbprint } });
      const url = `${authority.target.issuer}/.well-known/oauth-authorization-server`;
      const metadata = jsonOf(await send(url, { ca: authority.target.ca }));
      expect(metadata['tls_client_certificate_bound_access_tokens']).toBe(true);
    });
  },
);
