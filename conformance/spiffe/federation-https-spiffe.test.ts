// A bundle endpoint that answers as an X.509-SVID (SPIFFE_Federation.md section 5.2.2, https_spiffe): that of SPIRE, here go-spiffe's own.
import { afterAll, afterEach, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import { prepare } from '../foreign/run.ts';
import { openAdmin } from '../wire/admin.ts';
import { expectOAuthError, expectToken } from '../wire/expectations.ts';
import { decodeJwt } from '../wire/jwt.ts';
import { mayStartServers } from '../wire/target.ts';
import { askByJwtSvid, seedSpiffeClient } from './two-domains.ts';
import { stopWatching, until, watchWith } from './watch.ts';

/** What the endpoint says of itself; its first bundle lacks the key by which `svid` is signed. */
interface Endpoint {
  readonly address: string;
  readonly server: string;
  readonly workload: string;
  readonly bundle: object;
  readonly svid: string;
}

describe.runIf(mayStartServers())('a trust domain with go-spiffe (needs the countersign command)', () => {
  prepare('spiffe-go');
  let folder: string;
  let home: RunningAuthority;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-https-spiffe-'));
    home = await startAuthority({
      folder,
      env: { COUNTERSIGN_TRUST_DOMAIN: 'home.example', COUNTERSIGN_OUTBOUND_ALLOW: '127.0.0.1' },
    });
  }, 60_000);
  afterEach(stopWatching);
  afterAll(async () => {
    await home?.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  async function published(context: TestContext, name: string): Promise<Endpoint> {
    const env = { TRUST_DOMAIN: name, AUDIENCE: home.ready.issuer };
    const said = await watchWith<Endpoint>(context, 'spiffe-go', ['federation-server'], env);
    await until(() => said.length > 0);
    return said[0] as Endpoint;
  }

  test('a workload of it gets a token here by keys that its endpoint published', async (context) => {
    const { address, server, workload, bundle, svid } = await published(context, 'spire.example');
    await openAdmin(home.target).must('POST', '/trust-domains', {
      trust_domain: 'spire.example',
      bundle,
      bundle_endpoint: `https://${address}/`,
      endpoint_spiffe_id: server,
    });
    const client = await seedSpiffeClient(home, workload);
    const { token } = expectToken(await askByJwtSvid(client, svid));
    expect(decodeJwt(token).claims).toMatchObject({ client_id: client.machine.id });
  });

  test('an endpoint in the name of somebody else is not believed', async (context) => {
    const { address, workload, bundle, svid } = await published(context, 'other.example');
    await openAdmin(home.target).must('POST', '/trust-domains', {
      trust_domain: 'other.example',
      bundle,
      bundle_endpoint: `https://${address}/`,
      endpoint_spiffe_id: 'spiffe://other.example/bundles',
    });
    const client = await seedSpiffeClient(home, workload);
    expectOAuthError(await askByJwtSvid(client, svid), 401, 'invalid_client');
  });
});
