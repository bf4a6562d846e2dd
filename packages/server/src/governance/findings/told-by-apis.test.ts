import { expect, test } from 'vitest';
import { accessRecord, identityRecord, resourceServerRecord, T0 } from '../../storage/contract/records.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { NOTHING_TOLD, type ToldOfUse } from '../../registry/use/told-of-use.ts';
import type { ScopeRouteRecord } from '../../storage/scope-routes.ts';
import type { UnregisteredCallerRecord } from '../../storage/unregistered-callers.ts';
import type { Detector } from './detector.ts';
import { scopeMeaningChanged } from './scope-meaning-changed.ts';
import { unregisteredCaller } from './unregistered-caller.ts';

const DAY = 86_400_000;
const identity = identityRecord({ clientId: 'fraud-api' });
const resourceServer = resourceServerRecord({
  identifier: 'https://fraud.example',
  scopes: [
    { name: 'read', description: '', sensitivity: 1 },
    { name: 'refund', description: '', sensitivity: 3 },
  ],
});
const access = accessRecord(identity.id, resourceServer.id, {
  scopes: ['read', 'refund'],
  updatedAt: T0,
  expiresAt: T0 + 300 * DAY,
});
const facts: IdentityFacts = { identity, credentials: [], access: [{ access, resourceServer }] };

function observe(detector: Detector, told: Partial<ToldOfUse>): ReturnType<Detector['observe']> {
  const circumstances = {
    now: T0 + 9 * DAY,
    maximumAge: () => DAY,
    suspendedForMs: 30 * DAY,
    silentWebhooks: [],
    paces: new Map(),
    keySharers: new Map(),
    ...NOTHING_TOLD,
    ...told,
  };
  return detector.observe(facts, circumstances);
}

const route = (scope: string, path: string, firstSeenAt: number): ScopeRouteRecord => ({
  resourceServerId: resourceServer.id,
  scope,
  method: 'POST',
  path,
  firstSeenAt,
  lastSeenAt: firstSeenAt,
});
const routes = (...late: ScopeRouteRecord[]): Partial<ToldOfUse> => ({
  lateRoutes: new Map([[resourceServer.id, late]]),
});

test('a route that came after the access was given is told with it, by its most sensitive scope', () => {
  expect(observe(scopeMeaningChanged, routes())).toEqual([]);
  expect(observe(scopeMeaningChanged, routes(route('read', '/a', T0), route('other', '/b', T0 + 1)))).toEqual(
    [],
  );
  const [found] = observe(scopeMeaningChanged, routes(route('read', '/a/:id', T0 + 1)));
  expect(found).toMatchObject({ subject: 'access', subjectId: access.id, severity: 'low' });
  expect(found?.reason).toContain('opens more than when it was given: POST /a/:id (read)');
  expect(found?.fix).toBe(
    `countersign access update ${access.id} --justification 'also needed for what its scopes open now'`,
  );
  const many = ['a', 'b', 'c', 'd', 'e'].map((name) => route('refund', `/${name}`, T0 + 1));
  const [worse] = observe(scopeMeaningChanged, routes(...many, route('read', '/z', T0 + 1)));
  expect(worse?.severity).toBe('high');
  expect(worse?.reason).toMatch(/POST \/c \(refund\) and 3 more$/);
});

const caller = (issuer: string, name: string): UnregisteredCallerRecord => ({
  resourceServerId: resourceServer.id,
  issuer,
  caller: name,
  reporterId: identity.id,
  ok: 1,
  denied: 0,
  lastOkAt: T0,
  firstAt: T0,
  lastAt: T0,
});

test('callers that no identity stands behind are a finding of who reports for the API', () => {
  const letIn = (...callers: UnregisteredCallerRecord[]): Partial<ToldOfUse> => ({
    unregistered: new Map([[identity.id, [{ resourceServer, callers }]]]),
  });
  expect(observe(unregisteredCaller, {})).toEqual([]);
  const [found] = observe(unregisteredCaller, letIn(caller('https://foreign.example', 'pay')));
  expect(found).toMatchObject({
    subject: 'resource_server',
    subjectId: resourceServer.id,
    severity: 'medium',
  });
  expect(found?.reason).toContain('pay of https://foreign.example');
  const [worse] = observe(
    unregisteredCaller,
    letIn(caller('', 'crd_1'), caller('i', 'x'.repeat(200)), caller('i', 'b'), caller('i', 'c')),
  );
  expect(worse?.severity).toBe('high');
  expect(worse?.reason).toMatch(/the unknown caller crd_1, x{80}…, b of i and 1 more$/);
});
