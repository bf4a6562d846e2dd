// Introspection (RFC 7662) as an endpoint: who sees what, and what ends a token.
import { formatBasicCredentials, generateSecret } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addApiKey,
  changed,
  FRAUD,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import { orderCutoff } from '../../cutoff/order.ts';
import { accessRecord, credentialRecord, identityRecord } from '../../storage/contract/records.ts';
import type { CutoffKind } from '../../storage/cutoffs.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

const INACTIVE = {
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' },
  body: '{"active":false}',
};

async function token(): Promise<string> {
  return String(jsonOf(await scene.ask())['access_token']);
}

/** Another identity; with access to the API and these scopes of it, if any. */
async function other(scopes: readonly string[] = []): Promise<string> {
  const { secret } = generateSecret('csk', scene.deps.random);
  const identity = identityRecord({ clientId: 'fraud-api' });
  await scene.storage.identities.insert(identity);
  await scene.storage.credentials.insert(
    credentialRecord(identity.id, {
      material: { type: 'client_secret', publicId: 'y', digest: scene.deps.secretHash.digest(secret) },
    }),
  );
  if (scopes.length > 0)
    await scene.storage.access.insert(accessRecord(identity.id, scene.server.id, { scopes }));
  return formatBasicCredentials('fraud-api', secret);
}

let defined: TokenScene['server'];

async function defineIntrospection(): Promise<void> {
  const scope = { name: 'tokens:introspect', description: 'may ask about tokens', sensitivity: 1 };
  defined = changed(scene.server, { scopes: [...scene.server.scopes, scope] });
  await scene.storage.resourceServers.replace(defined);
}

const introspect = (text: string, authorization?: string) =>
  scene.about('/oauth/introspect', text, authorization);

describe('a live token', () => {
  it('is told to its own client with all its claims', async () => {
    const own = await token();
    const answer = await introspect(own);
    const claims = JSON.parse(Buffer.from(own.split('.')[1] as string, 'base64url').toString());
    expect(jsonOf(answer)).toEqual({ active: true, token_type: 'Bearer', ...claims });
    expect(answer.headers).toEqual(INACTIVE.headers);
    // Remembered, the answer is the same.
    expect(await introspect(own)).toEqual(answer);
  });

  it('is told to who stands for its resource server', async () => {
    await defineIntrospection();
    const api = await other(['tokens:introspect']);
    expect(jsonOf(await introspect(await token(), api))).toMatchObject({
      active: true,
      client_id: 'payments',
    });
  });

  it.each([
    ['has no access', []],
    ['has another scope there', ['fraud:read']],
  ])('is told to nobody else: who %s', async (_what, scopes) => {
    await defineIntrospection();
    expect(await introspect(await token(), await other(scopes))).toEqual(INACTIVE);
  });

  it('is told to nobody under a scope that the resource server does not define', async () => {
    expect(await introspect(await token(), await other(['tokens:introspect']))).toEqual(INACTIVE);
  });

  it('shows no scope that has been taken away since', async () => {
    const own = await token();
    await scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read'] }));
    expect(jsonOf(await introspect(own))).toMatchObject({ active: true, scope: 'fraud:read' });
  });
});

describe('a dead token is {"active":false}, also when it was live a moment ago', () => {
  async function order(kind: CutoffKind, target: string): Promise<void> {
    await scene.storage.transaction((stores) =>
      orderCutoff(scene.deps, stores, { kind, target, reason: 'leak', orderedBy: 'admin' }),
    );
  }
  const claimsOf = (text: string) =>
    JSON.parse(Buffer.from(text.split('.')[1] as string, 'base64url').toString());
  const kidOf = (text: string) =>
    JSON.parse(Buffer.from(text.split('.')[0] as string, 'base64url').toString()).kid;

  it.each<[string, (own: string) => Promise<unknown>]>([
    ['cut off itself', (own) => order('token', claimsOf(own).jti)],
    ['of a credential that was cut off', (own) => order('credential', claimsOf(own).crd)],
    ['of an identity that was cut off', () => order('identity', 'payments')],
    ['of a key that was cut off', (own) => order('key', kidOf(own))],
    [
      'of an identity that is suspended',
      () => scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' })),
    ],
    [
      'of a credential that is revoked',
      () => scene.storage.credentials.replace(changed(scene.credential, { state: 'revoked' })),
    ],
    [
      'of an access that is revoked',
      () => scene.storage.access.replace(changed(scene.access, { state: 'revoked' })),
    ],
    [
      'of an access that has ended',
      () => scene.storage.access.replace(changed(scene.access, { expiresAt: NOW })),
    ],
    [
      'of a resource server that is gone',
      () => scene.storage.resourceServers.replace(changed(defined, { state: 'deleted' })),
    ],
    [
      'that has lost all its scopes',
      () => scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:admin'] })),
    ],
  ])('%s', async (_what, end) => {
    await defineIntrospection();
    const asker = await other(['tokens:introspect']);
    const own = await token();
    expect(jsonOf(await introspect(own, asker))).toMatchObject({ active: true });
    await end(own);
    expect(await introspect(own, asker)).toEqual(INACTIVE);
  });

  it('expired, to the second', async () => {
    const own = await token();
    const { exp } = claimsOf(own);
    scene.clock.set(exp * 1000 - 1);
    expect(jsonOf(await introspect(own))).toMatchObject({ active: true });
    scene.clock.set(exp * 1000);
    expect(await introspect(own)).toEqual(INACTIVE);
  });
});

describe('what is no token of this authority', () => {
  it.each(['x', 'a.b.c', 'csk_abc', '\u{1F600}', 'A'.repeat(20_000), 'eyJhbGciOiJub25lIn0.e30.'])(
    'is inactive: %.20s',
    async (text) => {
      expect(await introspect(text)).toEqual(INACTIVE);
    },
  );

  it('is anything else that its keys sign', async () => {
    const claims = JSON.stringify(
      JSON.parse(Buffer.from((await token()).split('.')[1] as string, 'base64url').toString()),
    );
    for (const typ of ['cutoffs+jwt', 'token-introspection+jwt', 'at+JWT', '']) {
      expect(await introspect(await scene.deps.keystore.sign('ES256', typ, claims))).toEqual(INACTIVE);
    }
    expect(jsonOf(await introspect(await scene.deps.keystore.sign('ES256', 'JWT', claims)))).toMatchObject({
      active: true,
      aud: FRAUD,
    });
  });

  it('is a token whose claims or signature were changed', async () => {
    const own = await token();
    expect(jsonOf(await introspect(own))).toMatchObject({ active: true });
    const [header, payload, signature] = own.split('.') as [string, string, string];
    const flip = (text: string): string => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
    expect(await introspect(`${header}.${payload}.${flip(signature)}`)).toEqual(INACTIVE);
    expect(await introspect(`${header}.${payload.slice(0, -4)}AAAA.${signature}`)).toEqual(INACTIVE);
  });
});

describe('the log', () => {
  it('is told of refusals under a type of their own, and of no answer', async () => {
    const own = await token();
    const before = scene.log.events.length;
    await introspect(own);
    expect(scene.log.events.length).toBe(before);
    await introspect(own, 'Basic !');
    expect(scene.strangers.map(({ event }) => event.type)).toEqual(['introspection.refused']);
  });
});

describe('an API key', () => {
  let tested: TokenScene['identity'];
  const reader = async (): Promise<string> => {
    tested = changed(scene.identity, { environment: 'test' });
    await scene.storage.identities.replace(tested);
    await defineIntrospection();
    return other(['tokens:introspect']);
  };
  const told = async (key: string, authorization?: string): Promise<Record<string, unknown>> =>
    jsonOf(await introspect(key, authorization));

  it('is told to the API that it opens, with what a token for it would hold', async () => {
    const api = await reader();
    const key = await addApiKey(scene, { scopes: ['fraud:read'] });
    const [record] = (await scene.storage.credentials.ofIdentity(scene.identity.id)).filter(
      ({ material }) => material.type === 'api_key',
    );
    expect(await told(key, api)).toEqual({
      active: true,
      iss: scene.deps.issuer,
      sub: 'payments',
      client_id: 'payments',
      aud: FRAUD,
      scope: 'fraud:read',
      exp: expect.any(Number) as number,
      crd: record?.id,
      acs: expect.any(String) as string,
    });
    expect(scene.used).toContain(record?.id);
  });

  it('is nobody else’s business, not even its owner’s', async () => {
    const key = await addApiKey(scene);
    expect(await told(key)).toEqual({ active: false });
    expect(await told(key, await other(['fraud:read']))).toEqual({ active: false });
    expect(scene.used).toEqual([]);
  });

  it('is inactive where it opens nothing: mistyped, limited to another API, ended, for an API that wants bound tokens', async () => {
    const api = await reader();
    const key = await addApiKey(scene);
    expect(await told(key, api)).toMatchObject({ active: true });
    expect(await told(`${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`, api)).toEqual({ active: false });
    expect(await told(await addApiKey(scene, { resourceServerId: 'rsv_other' }), api)).toEqual({
      active: false,
    });
    expect(await told(await addApiKey(scene, {}, { state: 'revoked' }), api)).toEqual({ active: false });
    expect(await told(await addApiKey(scene, {}, { expiresAt: NOW - 1 }), api)).toEqual({ active: false });
    await scene.storage.resourceServers.replace(changed(defined, { senderConstraint: 'dpop' }));
    expect(await told(key, api)).toEqual({ active: false });
  });

  it('is inactive where policy takes no keys, as in prod', async () => {
    const api = await reader();
    const key = await addApiKey(scene);
    await scene.storage.identities.replace(changed(tested, { environment: 'prod' }));
    expect(await told(key, api)).toEqual({ active: false });
  });
});
