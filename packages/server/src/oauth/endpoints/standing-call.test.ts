// Conditions of the access by which a client stands for an API: they hold for its calls (RFC 7662 §4), where no token is issued that they could hold for.
import {
  CERTIFICATE_HINT,
  certificateCredential,
  formatBasicCredentials,
  generateSecret,
} from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTlsClient, clientAuthority } from '../../../test/client-authority.ts';
import { testCertificate } from '../../../test/client-certificate.ts';
import {
  addApiKey,
  changed,
  FRAUD,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { accessRecord, credentialRecord, identityRecord } from '../../storage/contract/records.ts';

const SCOPES = ['tokens:introspect', 'tokens:derive'];
const ELSEWHERE = { networks: ['198.51.100.0/24'] };
const OWN = testCertificate();

let scene: TokenScene;
let access: AccessRecord;
let authorization: string;
beforeEach(async () => {
  scene = await openTokenScene();
  const { storage, deps } = scene;
  const scopes = SCOPES.map((name) => ({ name, description: name, sensitivity: 1 }));
  await storage.resourceServers.replace(
    changed(scene.server, { scopes: [...scene.server.scopes, ...scopes] }),
  );
  await storage.identities.replace(changed(scene.identity, { environment: 'test' }));
  const { secret } = generateSecret('csk', deps.random);
  const identity = identityRecord({ clientId: 'fraud-api' });
  const digest = deps.secretHash.digest(secret);
  const material = { type: 'client_secret', publicId: 'y', digest } as const;
  access = accessRecord(identity.id, scene.server.id, { scopes: SCOPES });
  await storage.identities.insert(identity);
  await storage.credentials.insert(credentialRecord(identity.id, { material }));
  await storage.access.insert(access);
  authorization = formatBasicCredentials('fraud-api', secret);
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const only = (conditions: AccessRecord['conditions']): Promise<void> =>
  scene.storage.access.replace(changed(access, { conditions }));

function call(
  path: string,
  form: Readonly<Record<string, string>>,
  request: Partial<HttpRequest> = {},
): Promise<HttpResponse> {
  return scene.call(path, {
    body: Buffer.from(new URLSearchParams(form).toString()),
    rawHeaders: ['Authorization', authorization, 'Content-Type', 'application/x-www-form-urlencoded'],
    ...request,
  });
}

const introspect = async (
  form: Readonly<Record<string, string>>,
  request?: Partial<HttpRequest>,
): Promise<unknown> => jsonOf(await call('/oauth/introspect', form, request));

type Asked = Readonly<Record<string, string>>;
const CLIENTS = clientAuthority(NOW);
/** What an API may ask about: each live, and told to who stands for it. */
const QUESTIONS: readonly [string, () => Promise<Asked>][] = [
  ['a token', async () => ({ token: String(jsonOf(await scene.ask())['access_token']) })],
  ['an API key', async () => ({ token: await addApiKey(scene) })],
  [
    'a certificate',
    async () => {
      await addTlsClient(scene, CLIENTS);
      const chain = [CLIENTS.issue().der];
      const token = certificateCredential({ clientId: 'payments', chain });
      return { token, token_type_hint: CERTIFICATE_HINT };
    },
  ],
];

describe.each(QUESTIONS)('%s', (_what, make) => {
  let asked: Asked;
  beforeEach(async () => {
    asked = await make();
    scene.log.events.length = 0;
  });

  it.each<[string, AccessRecord['conditions'], string]>([
    ['from elsewhere', ELSEWHERE, 'network_not_allowed'],
    [
      'at another time',
      { times: [{ days: ['mon'], from: '03:00', to: '03:01', time_zone: 'UTC' }] },
      'outside_time_window',
    ],
    ['without its proof', { binding: 'any' }, 'binding_required'],
    ['without its certificate', { binding: 'mtls' }, 'binding_required'],
  ])('is inactive to who asks %s, and the log knows why', async (_how, conditions, reason) => {
    expect(await introspect(asked)).toMatchObject({ active: true });
    expect(scene.log.events).toEqual([]);
    await only(conditions);
    expect(await introspect(asked)).toEqual({ active: false });
    expect(scene.log.events).toMatchObject([
      { type: 'introspection.refused', identity: 'fraud-api', access: access.id, resource: FRAUD, reason },
    ]);
  });

  it('is inactive to who comes from nowhere that is known', async () => {
    await only({ networks: ['192.0.2.0/24'] });
    expect(await introspect(asked, { source: '' })).toEqual({ active: false });
    expect(await introspect(asked, { source: '192.0.2.7' })).toMatchObject({ active: true });
  });

  it.each(['any', 'mtls'] as const)(
    'is told to who shows its certificate, where %s is wanted',
    async (binding) => {
      await only({ binding, networks: ['192.0.2.0/24'] });
      const clientCertificate = { chain: [OWN.der], source: 'tls' } as const;
      expect(await introspect(asked, { clientCertificate })).toMatchObject({ active: true });
    },
  );

  it('is inactive where DPoP is wanted: no proof is taken here', async () => {
    await only({ binding: 'dpop' });
    const clientCertificate = { chain: [OWN.der], source: 'tls' } as const;
    expect(await introspect(asked, { clientCertificate })).toEqual({ active: false });
  });
});

it('one’s own token is told whatever the conditions of one’s access: nobody else is asked about', async () => {
  const token = String(jsonOf(await scene.ask())['access_token']);
  await scene.storage.access.replace(changed(scene.access, { conditions: ELSEWHERE }));
  const own = formatBasicCredentials('payments', scene.secret);
  expect(jsonOf(await scene.about('/oauth/introspect', token, own))).toMatchObject({ active: true });
});

describe('the keys of devices', () => {
  beforeEach(async () => {
    const server = await scene.storage.resourceServers.byId(scene.server.id);
    if (server === undefined) throw new Error('gone');
    const token = { ...server.token, format: 'cwt' as const };
    await scene.storage.resourceServers.replace(changed(server, { token }));
  });

  it('are given only where the conditions hold', async () => {
    expect((await call('/oauth/derivation-keys', { resource: FRAUD })).status).toBe(200);
    scene.log.events.length = 0;
    await only(ELSEWHERE);
    const refused = await call('/oauth/derivation-keys', { resource: FRAUD });
    expect([refused.status, jsonOf(refused).error]).toEqual([400, 'access_denied']);
    expect(scene.log.events).toMatchObject([
      { type: 'derivation_keys.refused', access: access.id, reason: 'network_not_allowed' },
    ]);
    const there = await call('/oauth/derivation-keys', { resource: FRAUD }, { source: '198.51.100.7' });
    expect(there.status).toBe(200);
  });

  it('are given only to who would be given a token: what policy refuses of the one, it refuses of the other', async () => {
    const { facts, secretHash, log, counters } = scene.deps;
    const refusedMethods = new Map([['prod', new Set(['client_secret'])]]);
    for (const [policy, reason] of [
      [{ refusedMethods }, 'method_not_allowed'],
      [{ enforcedAge: () => 1000 }, 'credential_too_old'],
    ] as const) {
      const strict = await openTokenScene({ facts, secretHash, log, counters, ...policy });
      scene.log.events.length = 0;
      const refused = await strict.call('/oauth/derivation-keys', {
        rawHeaders: ['Authorization', authorization, 'Content-Type', 'application/x-www-form-urlencoded'],
        body: Buffer.from(new URLSearchParams({ resource: FRAUD }).toString()),
      });
      expect([refused.status, jsonOf(refused).error]).toEqual([400, 'access_denied']);
      expect(scene.log.events).toMatchObject([
        { type: 'derivation_keys.refused', identity: 'fraud-api', access: access.id, reason },
      ]);
      await strict.close();
    }
  });
});
