import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import type { ShownCertificate } from '../wire/certificates.ts';
import { opensslRequest } from '../wire/certification-request.ts';
import { type Answer, jsonOf, send } from '../wire/exchange.ts';
import { accessBody, type Machine } from '../wire/admin.ts';
import { type SeededScene, seedScene } from '../wire/scene.ts';
import { askToken, type Params } from '../wire/token-request.ts';
import { expectToken } from '../wire/expectations.ts';
import { seedWorkload, type WorkloadScene } from './workload-scene.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';

/** Two deployments, each a trust domain of its own; the first may fetch from the second. */
export interface TwoDomains {
  readonly home: RunningAuthority;
  readonly foreign: RunningAuthority;
  /** As the metadata of the second one has them. */
  readonly trustDomain: string;
  readonly bundleEndpoint: string;
  stop(): Promise<void>;
}

export async function startTwoDomains(): Promise<TwoDomains> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-federation-'));
  const started: RunningAuthority[] = [];
  async function start(name: string, env: Record<string, string>): Promise<RunningAuthority> {
    const own = join(folder, name);
    mkdirSync(own);
    const args = ['--mtls-port', '0'];
    const running = await startAuthority({ folder: own, args, env });
    started.push(running);
    return running;
  }
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((each) => each.stop('SIGKILL').catch(() => undefined)));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const foreign = await start('foreign', { COUNTERSIGN_TRUST_DOMAIN: 'foreign.example' });
    const home = await start('home', {
      COUNTERSIGN_TRUST_DOMAIN: 'home.example',
      COUNTERSIGN_OUTBOUND_ALLOW: 'localhost',
      NODE_EXTRA_CA_CERTS: String(foreign.target.caFile),
    });
    const metadata = jsonOf(
      await send(`${foreign.ready.issuer}/.well-known/oauth-authorization-server`, { ca: foreign.target.ca }),
    );
    return {
      home,
      foreign,
      trustDomain: String(metadata['spiffe_trust_domain']),
      bundleEndpoint: String(metadata['spiffe_bundle_endpoint']),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A workload of a deployment, with what makes SVIDs for it: as an agent would ask. */
export interface Minting extends WorkloadScene {
  jwtSvid(audience: string): Promise<string>;
  x509Svid(context: TestContext): Promise<ShownCertificate>;
}

export async function seedMinting(stem: string, authority: RunningAuthority): Promise<Minting> {
  const scene = await seedWorkload(stem, ['unix:uid:1'], authority.target);
  const { admin, agent, workloadId: workload, target } = scene;
  async function ask(path: string, body: object): Promise<Record<string, unknown>> {
    const asked = await askToken({
      target,
      client: agent,
      params: { resource: String(target.admin?.resource) },
    });
    const { token } = expectToken(asked);
    const answer = await admin.call('POST', path, { body, token });
    if (answer.status !== 200) throw new Error(answer.text);
    return jsonOf(answer);
  }
  return {
    ...scene,
    async jwtSvid(audience) {
      return String((await ask('/svids/jwt', { workload, audience: [audience] }))['svid']);
    },
    async x509Svid(context) {
      const { csr, key } = opensslRequest(context);
      const { chain } = (await ask('/svids/x509', { workload, csr })) as { chain: string[] };
      return {
        cert: chain.map(pemOf).join(''),
        key,
        der: Buffer.from(chain[0] ?? '', 'base64'),
        thumbprint: '',
      };
    },
  };
}

export function pemOf(der: string): string {
  return `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * A client at a deployment that is whoever shows an SVID with this SPIFFE ID; or `machine`, which is there already: in its own
 * trust domain a machine has one name.
 */
export async function seedSpiffeClient(
  authority: RunningAuthority,
  spiffeId: string,
  machine?: Machine,
): Promise<SeededScene> {
  const seeded = await seedScene('spiffe-client', authority.target);
  if (machine !== undefined)
    await seeded.admin.must('POST', '/access', accessBody(machine.identityId, seeded.resource, ['read']));
  const scene = machine === undefined ? seeded : { ...seeded, machine, client: machine };
  const path = `/identities/${scene.machine.identityId}/credentials`;
  await scene.admin.must('POST', path, { type: 'spiffe', spiffe_id: spiffeId });
  return scene;
}

/** draft-ietf-oauth-spiffe-client-auth section 4. */
export function askByJwtSvid(
  { target, machine }: SeededScene,
  svid: string,
  more: Params = {},
): Promise<Answer> {
  const params = { client_id: machine.id, client_assertion_type: ASSERTION_TYPE, client_assertion: svid };
  return askToken({ target, params: { ...params, ...more } });
}
