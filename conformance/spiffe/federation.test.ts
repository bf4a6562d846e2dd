// The bundle endpoint of a deployment (SPIFFE_Federation.md section 5.2.1, https_web): another deployment and go-spiffe read it.
// spiffe_jwt and spiffe_x509 across trust domains, whose keys never stand for one another.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { printed, prepare, runForeign } from '../foreign/run.ts';
import { askByCertificate } from '../wire/certificate-client.ts';
import type { ShownCertificate } from '../wire/certificates.ts';
import { requireOpenssl } from '../wire/certification-request.ts';
import { makeKey, signCompact } from '../wire/client-assertion.ts';
import { openAdmin } from '../wire/admin.ts';
import { jsonOf, send } from '../wire/exchange.ts';
import { expectOAuthError, expectToken } from '../wire/expectations.ts';
import { decodeJwt } from '../wire/jwt.ts';
import type { SeededScene } from '../wire/scene.ts';
import { mayStartServers } from '../wire/target.ts';
import {
  askByJwtSvid,
  type Minting,
  seedMinting,
  seedSpiffeClient,
  startTwoDomains,
  type TwoDomains,
} from './two-domains.ts';

/** A trust domain of the test's own, with a key and an authority that it may do anything with. */
const FORGER = 'forger.example';

describe.runIf(mayStartServers())('two trust domains (needs the countersign command)', () => {
  prepare('spiffe-go');
  let domains: TwoDomains;
  let minting: Minting;
  let client: SeededScene;
  const key = makeKey();

  beforeAll(async () => {
    domains = await startTwoDomains();
    const { trustDomain: trust_domain, bundleEndpoint: bundle_endpoint } = domains;
    const admin = openAdmin(domains.home.target);
    await admin.must('POST', '/trust-domains', { trust_domain, bundle_endpoint });
    minting = await seedMinting('federated', domains.foreign);
    client = await seedSpiffeClient(domains.home, minting.spiffeId);
  }, 60_000);
  afterAll(() => domains?.stop());

  const env = (more: Record<string, string> = {}) => ({
    TRUST_DOMAIN: domains.trustDomain,
    BUNDLE_ENDPOINT: domains.bundleEndpoint,
    CA_FILE: String(domains.foreign.target.caFile),
    ...more,
  });
  const byCertificate = (shown: ShownCertificate) =>
    askByCertificate(`${domains.home.ready.mtls_base}/oauth/token`, client, { shown });

  test('the bundle is where the metadata says, for anybody, as JSON', async () => {
    expect(domains.trustDomain).toBe('foreign.example');
    const answer = await send(domains.bundleEndpoint, { ca: domains.foreign.target.ca });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    const bundle = jsonOf(answer) as { keys: Record<string, unknown>[]; spiffe_refresh_hint: number };
    expect(bundle.spiffe_refresh_hint).toBe(300);
    expect(bundle.keys.map(({ use }) => use)).toEqual(['x509-svid', 'jwt-svid', 'jwt-svid']);
    const again = { headers: [['If-None-Match', String(answer.headers.etag)]] as const };
    expect((await send(domains.bundleEndpoint, { ca: domains.foreign.target.ca, ...again })).status).toBe(
      304,
    );
  });

  test('go-spiffe fetches it, and verifies both kinds of SVID with it', async (context) => {
    const TOKEN = await minting.jwtSvid('https://orders.example');
    const CHAIN = (await minting.x509Svid(context)).cert;
    const asked = env({ TOKEN, AUDIENCE: 'https://orders.example', CHAIN });
    expect(printed(await runForeign(context, 'spiffe-go', ['federated'], asked))).toMatchObject({
      trust_domain: domains.trustDomain,
      jwt: minting.spiffeId,
      x509: minting.spiffeId,
      refresh_hint: 300,
      kids: [expect.any(String), expect.any(String)],
      roots: [expect.stringContaining('Countersign root authority')],
    });
  });

  test('go-spiffe takes nothing of it for another trust domain', async (context) => {
    const TOKEN = await minting.jwtSvid('https://orders.example');
    const asked = env({ TOKEN, AUDIENCE: 'https://orders.example', TRUST_DOMAIN: 'home.example' });
    expect(printed(await runForeign(context, 'spiffe-go', ['federated'], asked))).toHaveProperty('error');
  });

  test('a workload of the other deployment gets a token here by its JWT-SVID', async () => {
    const { token } = expectToken(await askByJwtSvid(client, await minting.jwtSvid(client.target.issuer)));
    expect(decodeJwt(token).claims).toMatchObject({ client_id: client.machine.id });
  });

  test('and by its X.509-SVID', async (context) => {
    expectToken(await byCertificate(await minting.x509Svid(context)));
  });

  test('one for somebody else is refused', async () => {
    expectOAuthError(
      await askByJwtSvid(client, await minting.jwtSvid('https://orders.example')),
      401,
      'invalid_client',
    );
  });

  describe('where a third trust domain is declared, whose keys the test has', () => {
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'countersign-forger-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** Declares it with these, in the place of what it was declared with. */
    async function declare(keys: readonly object[]): Promise<void> {
      const admin = openAdmin(domains.home.target);
      const there = (await admin.all('/trust-domains')).find((each) => each['trust_domain'] === FORGER);
      const bundle = { keys, spiffe_sequence: 1 };
      if (there === undefined) await admin.must('POST', '/trust-domains', { trust_domain: FORGER, bundle });
      else
        expect((await admin.change('PATCH', `/trust-domains/${there['id']}`, { bundle })).status).toBe(200);
    }

    function forged(sub: string, kid: string): string {
      const iat = Math.floor(Date.now() / 1000);
      const claims = { sub, aud: [client.target.issuer], iat, exp: iat + 300 };
      return signCompact({ alg: 'ES256', kid, typ: 'JWT' }, claims, key);
    }

    /** A certificate by an authority of the forger's, with this SPIFFE ID; and that authority, DER in base64. */
    function forgedCertificate(
      context: TestContext,
      id: string,
    ): { shown: ShownCertificate; authority: string } {
      const openssl = requireOpenssl(context);
      const run = (...args: string[]) =>
        execFileSync(openssl, args, { cwd: folder, stdio: 'pipe', timeout: 10_000 });
      const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const extensions = `basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nsubjectAltName=URI:${id}\n`;
      writeFileSync(join(folder, 'leaf.ext'), extensions);
      const ca = ['-subj', '/CN=forger', '-days', '2', '-addext', 'keyUsage=critical,keyCertSign'];
      run('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', ...ca);
      run('req', '-new', ...ec, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=leaf');
      const by = [
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '1',
        '-extfile',
        'leaf.ext',
      ];
      run('x509', '-req', '-in', 'leaf.csr', '-out', 'leaf.pem', ...by);
      const text = (name: string) => readFileSync(join(folder, name), 'utf8');
      const authority = text('ca.pem').replace(/-----[^-]+-----|\s/g, '');
      return {
        shown: { cert: text('leaf.pem'), key: text('leaf.key'), der: Buffer.alloc(0), thumbprint: '' },
        authority,
      };
    }

    test('its key proves its own workloads, and none of the other', async () => {
      await declare([{ ...key.jwk, use: 'jwt-svid', kid: 'f1' }]);
      const own = await seedSpiffeClient(domains.home, `spiffe://${FORGER}/orders`);
      expectToken(await askByJwtSvid(own, forged(`spiffe://${FORGER}/orders`, 'f1')));
      expectOAuthError(await askByJwtSvid(client, forged(minting.spiffeId, 'f1')), 401, 'invalid_client');
    });

    test('not even under the name that a key of the other has', async () => {
      const answer = await send(domains.bundleEndpoint, { ca: domains.foreign.target.ca });
      const { keys } = jsonOf(answer) as { keys: { use: string; kid?: string }[] };
      const kid = String(keys.find(({ use }) => use === 'jwt-svid')?.kid);
      await declare([{ ...key.jwk, use: 'jwt-svid', kid }]);
      expectOAuthError(await askByJwtSvid(client, forged(minting.spiffeId, kid)), 401, 'invalid_client');
    });

    test('its authority proves its own workloads, and none of the other', async (context) => {
      const mine = `spiffe://${FORGER}/ledger`;
      const owned = forgedCertificate(context, mine);
      await declare([{ kty: 'EC', use: 'x509-svid', x5c: [owned.authority] }]);
      const own = await seedSpiffeClient(domains.home, mine);
      const url = `${domains.home.ready.mtls_base}/oauth/token`;
      expectToken(await askByCertificate(url, own, { shown: owned.shown }));
      const { shown, authority } = forgedCertificate(context, minting.spiffeId);
      await declare([{ kty: 'EC', use: 'x509-svid', x5c: [authority] }]);
      expectOAuthError(await byCertificate(shown), 401, 'invalid_client');
    });
  });
});
