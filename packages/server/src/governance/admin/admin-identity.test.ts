import { ADMIN_SCOPE_NAMES } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Authority,
  openAuthority,
  RESOURCE,
  resourceServerBody,
  operator,
} from '../../../test/authority.ts';
import { type AdminIdentityDeps, ensureAdmin, markAdminUntold, resetAdmin } from './admin-identity.ts';

let authority: Authority;
let deps: AdminIdentityDeps;
beforeEach(async () => {
  authority = await openAuthority();
  deps = {
    changes: authority.changes,
    clock: authority.clock,
    random: authority.deps.random,
    resource: RESOURCE,
    maximumAge: authority.deps.maximumAge,
    approvalValidity: authority.deps.approvalValidity,
    digest: (secret) => authority.deps.secretHash.digest(secret),
  };
});
afterEach(async () => {
  await authority.close();
});

test('the first start makes the admin, its API and its access to all of it; each has an end and an event', async () => {
  expect(authority.admin).toMatchObject({ clientId: 'admin', secret: expect.stringMatching(/^csk_/) });
  const { body: access } = await authority.call('GET', '/v1/access?identity=admin');
  expect(access.items[0]).toMatchObject({
    resource: RESOURCE,
    scopes: ADMIN_SCOPE_NAMES,
    approved_by: 'countersign',
  });
  const types = authority.log.events
    .filter((event) => event.identity === 'countersign')
    .map((event) => event.type);
  expect(types).toEqual([
    // The key in use and the next one; and both of JWT-SVIDs.
    ...Array<string>(4).fill('key.created'),
    'resource_server.created',
    'identity.created',
    'credential.created',
    'access.created',
  ]);
  expect(JSON.stringify(authority.log.events)).not.toContain(authority.admin.secret);
});

test('later starts show no secret and change nothing', async () => {
  const before = authority.log.events.length;
  expect(await ensureAdmin(deps)).toEqual({ clientId: 'admin', secret: undefined });
  expect(authority.log.events).toHaveLength(before);
});

test('a secret that the first start told nobody is made again at the next one, once, and the first opens nothing', async () => {
  const { secret: untold } = authority.admin;
  await markAdminUntold(authority.storage);
  const next = await ensureAdmin(deps);
  expect(next).toEqual({ clientId: 'admin', secret: expect.stringMatching(/^csk_/) });
  expect(next.secret).not.toBe(untold);
  expect(authority.log.events.slice(-2).map(({ type }) => type)).toEqual([
    'credential.revoked',
    'credential.created',
  ]);
  expect(await ensureAdmin(deps)).toEqual({ clientId: 'admin', secret: undefined });
});

test('a reset tells a secret: the next start makes none', async () => {
  await markAdminUntold(authority.storage);
  await resetAdmin(deps);
  expect((await ensureAdmin(deps)).secret).toBeUndefined();
});

test('another issuer moves the admin API along', async () => {
  const resource = 'https://moved.test/v1';
  await ensureAdmin({ ...deps, resource });
  expect(await authority.storage.resourceServers.byIdentifier(RESOURCE)).toBeUndefined();
  expect(await authority.storage.resourceServers.byIdentifier(resource)).toMatchObject({ builtIn: true });
});

test('an issuer whose admin API somebody has registered already is refused with its name and what to do', async () => {
  const resource = 'https://moved.test/v1';
  const made = await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(resource, ['x']),
  });
  await expect(ensureAdmin({ ...deps, resource })).rejects.toThrow(
    new RegExp(
      `^resource server ${made.body.id} already has .*: start under the issuer of before and delete it`,
    ),
  );
});

test('a reset does not move the admin API, whatever the issuer that the host names', async () => {
  await resetAdmin({ ...deps, resource: 'https://localhost/v1' });
  expect(await authority.storage.resourceServers.byIdentifier(RESOURCE)).toMatchObject({ builtIn: true });
});

test('what was taken from the admin since stays taken at the next start, and comes back with a reset', async () => {
  // Somebody else can administer meanwhile.
  await operator(authority, 'second', ['identities:write', 'credentials:write', 'access:write']);
  const { body } = await authority.call('GET', '/v1/access?identity=admin');
  const scopes = ['access:read', 'access:write'];
  const path = `/v1/access/${body.items[0].id}`;
  await authority.call('PATCH', path, { body: { scopes }, headers: { 'If-Match': '*' } });
  await ensureAdmin(deps);
  expect((await authority.call('GET', path)).body.scopes).toEqual(scopes);
  await authority.call('DELETE', path, { headers: { 'If-Match': '*' } });
  await ensureAdmin(deps);
  const identity = await authority.storage.identities.byClientId('admin');
  expect(await authority.storage.access.activeOfIdentity(identity?.id ?? '')).toEqual([]);
  await resetAdmin(deps);
  expect((await authority.call('GET', path)).body).toMatchObject({ state: 'revoked' });
  expect((await authority.call('GET', '/v1/keys')).status).toBe(200);
});

test('two nodes that begin at once agree on one admin', async () => {
  const { openMemoryStorage } = await import('../../../test/memory-storage.ts');
  const { createChanges } = await import('../../audit/change.ts');
  const storage = await openMemoryStorage();
  const { clock, random } = deps;
  const changes = createChanges({ storage, log: authority.log, clock, random, node: 'test' });
  const made = await Promise.all([1, 2].map(() => ensureAdmin({ ...deps, changes })));
  expect(made.filter((each) => each.secret !== undefined)).toHaveLength(1);
  await storage.close();
});

test('scopes that are new in this version reach the admin', async () => {
  const server = await authority.storage.resourceServers.byIdentifier(RESOURCE);
  if (server === undefined) throw new Error('no admin API');
  const [access] = (await authority.storage.access.list({ resourceServerId: server.id }, { limit: 1 })).items;
  if (access === undefined) throw new Error('no access');
  const fewer = ['identities:read'];
  await authority.storage.resourceServers.replace({
    ...server,
    scopes: server.scopes.filter((scope) => fewer.includes(scope.name)),
    version: server.version + 1,
  });
  await authority.storage.access.replace({ ...access, scopes: fewer, version: access.version + 1 });
  await ensureAdmin(deps);
  expect((await authority.storage.access.byId(access.id))?.scopes).toEqual(ADMIN_SCOPE_NAMES);
});

test('a reset gives a new secret, revokes the old ones and ends every stop', async () => {
  const token = await authority.tokenFor('admin');
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'identity', id: 'admin', reason: 'leak' } });
  expect((await authority.call('GET', '/v1/keys', { token })).status).toBe(401);
  const made = await resetAdmin(deps);
  expect(made.secret).not.toBe(authority.admin.secret);
  const identity = await authority.storage.identities.byClientId('admin');
  expect(identity).toMatchObject({ state: 'active', securityStop: false });
  const credentials = await authority.storage.credentials.ofIdentity(identity?.id ?? '');
  expect(credentials.map((each) => each.state).toSorted()).toEqual(['active', 'revoked']);
  authority.clock.advance(3000);
  expect((await authority.call('GET', '/v1/keys')).status).toBe(200);
});
