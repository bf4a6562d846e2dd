import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, openAuthority, operator, RESOURCE } from '../../../test/authority.ts';
import { createOwnUse, type OwnUse } from './own-use.ts';

const HOUR = 3_600_000;

let authority: Authority;
let own: OwnUse;
let who: { credential: string; access: string };
let fails: boolean | 'afterwards';

beforeEach(async () => {
  authority = await openAuthority();
  await operator(authority, 'reader', ['access:read', 'audit:read']);
  const [access] = (await authority.call('GET', '/v1/access?identity=reader')).body.items;
  const [credential] = (await authority.call('GET', '/v1/credentials?identity=reader')).body.items;
  who = { credential: credential.id, access: access.id };
  fails = false;
  const { storage } = authority;
  own = createOwnUse({
    ...authority.deps,
    storage: {
      async transaction(work) {
        if (fails === true) throw new Error('no database');
        const done = await storage.transaction(work);
        if (fails === 'afterwards') throw new Error('the answer was lost');
        return done;
      },
    },
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function used(): Promise<unknown> {
  const { body } = await authority.call('GET', `/v1/access/${who.access}?within=12h`);
  return body.usage.scopes.map(({ scope, state, ok, denied }: Record<string, unknown>) => [
    scope,
    state,
    ok,
    denied,
  ]);
}

test('the admin API tells of itself like any other: used, unused, refused', async () => {
  own.count(who, ['access:read'], true);
  own.count(who, ['identities:write'], false);
  own.count({}, ['access:read'], true);
  authority.clock.advance(24 * HOUR);
  await own.report();
  expect(await used()).toEqual([
    ['access:read', 'used', 1, 0],
    ['audit:read', 'unused', 0, 0],
  ]);
  authority.clock.advance(HOUR);
  expect(await used()).toMatchObject([
    ['access:read', 'used', 1, 0],
    ['audit:read', 'unknown', 0, 0],
  ]);
});

test('what could not be written is written later, and counts once', async () => {
  for (const fault of [true, 'afterwards', true] as const) {
    own.count(who, ['access:read'], true);
    authority.clock.advance(HOUR);
    fails = fault;
    await expect(own.report()).rejects.toThrow(/no database|lost/);
  }
  fails = false;
  await own.report(true);
  expect(await used()).toEqual([
    ['access:read', 'used', 3, 0],
    ['audit:read', 'unused', 0, 0],
  ]);
});

test('a caller is counted by what the operation requires', async () => {
  const calls: unknown[] = [];
  const { createRequireAdmin } = await import('./require-admin.ts');
  const guard = createRequireAdmin({
    ...authority.deps,
    resource: RESOURCE,
    countUse: (actor, scopes, ok) => calls.push([actor.access, scopes, ok]),
  });
  const admin = {
    actor: { identity: 'reader', ...who },
    scheme: 'Bearer' as const,
    boundTo: undefined,
    scopes: new Set(['access:read']),
    unlimited: new Set(['access:read']),
  };
  guard.requireScopes(admin, ['access:read']);
  expect(() => guard.requireScopes(admin, ['keys:write'])).toThrow('keys:write');
  expect(calls).toEqual([
    [who.access, ['access:read'], true],
    [who.access, ['keys:write'], false],
  ]);
});
