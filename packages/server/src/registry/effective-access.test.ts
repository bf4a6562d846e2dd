import { IDENTITY_STATES } from '@countersign/admin-api';
import { parseResourceIndicator, parseScope, type ResourceIndicator } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../storage/access.ts';
import {
  accessRecord,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
} from '../storage/contract/records.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import {
  type AccessAsked,
  effectiveAccess,
  type EffectiveAccessResult,
  standing,
} from './effective-access.ts';
import type { AccessFacts, IdentityFacts } from './facts.ts';

const NOW = 1_800_000_500_000;

describe('the standing of an identity and its credential', () => {
  const of = (identity: Partial<IdentityRecord>, credential: Partial<CredentialRecord> = {}): string =>
    standing(identityRecord(identity), credentialRecord('idn_1', credential), NOW) ?? 'good';

  it('is good for one state only', () => {
    expect(Object.fromEntries(IDENTITY_STATES.map((state) => [state, of({ state })]))).toEqual({
      draft: 'identity_not_active',
      requested: 'identity_not_active',
      approved: 'identity_not_active',
      active: 'good',
      suspended: 'identity_suspended',
      decommissioning: 'identity_decommissioned',
      decommissioned: 'identity_decommissioned',
      rejected: 'identity_not_active',
      lapsed: 'identity_not_active',
    });
  });

  it.each<[string, Partial<IdentityRecord>, Partial<CredentialRecord>, string]>([
    ['ends at its end', { expiresAt: NOW }, {}, 'identity_expired'],
    ['holds until then', { expiresAt: NOW + 1 }, {}, 'good'],
    ['needs a credential that has begun', {}, { notBeforeAt: NOW + 1 }, 'credential_not_yet_valid'],
    ['takes it from its first instant', {}, { notBeforeAt: NOW }, 'good'],
    ['needs a credential that has not ended', {}, { expiresAt: NOW }, 'credential_expired'],
    ['takes it to its last instant', {}, { expiresAt: NOW + 1 }, 'good'],
    ['needs a credential that is not suspended', {}, { state: 'suspended' }, 'credential_suspended'],
    ['needs a credential that is not revoked', {}, { state: 'revoked' }, 'credential_revoked'],
    [
      'looks at the identity first',
      { state: 'suspended', expiresAt: NOW },
      { state: 'revoked' },
      'identity_suspended',
    ],
    ['looks at its end before the credential', { expiresAt: NOW }, { state: 'revoked' }, 'identity_expired'],
    ['looks at revoked before expired', {}, { state: 'revoked', expiresAt: NOW }, 'credential_revoked'],
  ])('%s', (_, identity, credential, expected) => expect(of(identity, credential)).toBe(expected));
});

function facts(...access: AccessFacts[]): IdentityFacts {
  return { identity: identityRecord(), credentials: [], access };
}
function to(server: Partial<ResourceServerRecord>, access: Partial<AccessRecord> = {}): AccessFacts {
  const resourceServer = resourceServerRecord(server);
  return {
    resourceServer,
    access: accessRecord('idn_1', resourceServer.id, { expiresAt: NOW + 1, ...access }),
  };
}
function ask(resource?: string, scope?: string): AccessAsked {
  return {
    resource: resource === undefined ? undefined : parseResourceIndicator(resource),
    scopes: scope === undefined ? undefined : parseScope(scope),
  };
}
const told = (result: EffectiveAccessResult): string => (result.ok ? result.scopes.join(' ') : result.fault);

const FRAUD = { identifier: 'https://fraud.test' };
const LEDGER = { identifier: 'https://ledger.test' };
const BOTH = { scopes: ['fraud:write', 'fraud:read'] };

describe('what an identity may have', () => {
  it.each<[string, AccessFacts[], AccessAsked, string]>([
    ['all of its only access, when it asks for nothing', [to(FRAUD, BOTH)], ask(), 'fraud:write fraud:read'],
    ['nothing, when it has no access', [], ask(), 'resource_missing'],
    ['nothing, when it could mean several', [to(FRAUD), to(LEDGER)], ask(), 'resource_missing'],
    [
      'its only living access, when others have ended',
      [to(FRAUD, { expiresAt: NOW }), to(LEDGER)],
      ask(),
      'fraud:read',
    ],
    ['nothing, when its only access has ended', [to(FRAUD, { expiresAt: NOW })], ask(), 'resource_missing'],
    [
      'the resource that it names',
      [to(LEDGER), to(FRAUD, BOTH)],
      ask('https://fraud.test'),
      'fraud:write fraud:read',
    ],
    ['no other resource', [to(FRAUD)], ask('https://ledger.test'), 'resource_unknown'],
    ['no resource that is almost the same', [to(FRAUD)], ask('https://fraud.test/'), 'resource_unknown'],
    ['no resource in other letters', [to(FRAUD)], ask('https://FRAUD.test'), 'resource_unknown'],
    [
      'nothing at a named resource when access to it has ended',
      [to(FRAUD, { expiresAt: NOW })],
      ask('https://fraud.test'),
      'access_expired',
    ],
    [
      'nothing at a resource that was deleted',
      [to({ ...FRAUD, state: 'deleted' })],
      ask('https://fraud.test'),
      'resource_unknown',
    ],
    [
      'nothing by default at a resource that was deleted',
      [to({ ...FRAUD, state: 'deleted' })],
      ask(),
      'resource_missing',
    ],
    [
      'its other access by default, when one resource was deleted',
      [to({ ...FRAUD, state: 'deleted' }), to(LEDGER)],
      ask(),
      'fraud:read',
    ],
    [
      'nothing on an access that is not active',
      [to(FRAUD, { state: 'revoked' })],
      ask('https://fraud.test'),
      'access_missing',
    ],
    [
      'nothing on an access that is suspended, by default neither',
      [to(FRAUD, { state: 'suspended' })],
      ask(),
      'access_missing',
    ],
    [
      'nothing on an access that is asked for yet',
      [to(FRAUD, { state: 'requested' })],
      ask(),
      'access_missing',
    ],
    ['what it asks for and holds', [to(FRAUD, BOTH)], ask(undefined, 'fraud:read'), 'fraud:read'],
    [
      'that in the order asked',
      [to(FRAUD, BOTH)],
      ask(undefined, 'fraud:read fraud:write'),
      'fraud:read fraud:write',
    ],
    ['less than it asks for', [to(FRAUD)], ask(undefined, 'fraud:write fraud:read admin'), 'fraud:read'],
    [
      'nothing when it holds none of what it asks for',
      [to(FRAUD)],
      ask(undefined, 'fraud:write'),
      'scope_not_held',
    ],
    ['no scope in other letters', [to(FRAUD)], ask(undefined, 'Fraud:read'), 'scope_not_held'],
    [
      'no scope that the resource server has given up',
      [to(FRAUD, { scopes: ['fraud:read', 'fraud:old'] })],
      ask(),
      'fraud:read',
    ],
    [
      'nothing when all its scopes were given up',
      [to(FRAUD, { scopes: ['fraud:old'] })],
      ask(undefined, 'fraud:old'),
      'scope_not_held',
    ],
  ])('is %s', (_, access, asked, expected) =>
    expect(told(effectiveAccess(facts(...access), asked, NOW))).toBe(expected),
  );

  it('comes with the access and the resource server that it stands on', () => {
    const here = to(FRAUD);
    expect(effectiveAccess(facts(to(LEDGER), here), ask('https://fraud.test'), NOW)).toEqual({
      ok: true,
      ...here,
      scopes: ['fraud:read'],
    });
  });

  it('is never more than asked, held and defined, under one living access (property)', () => {
    const scope = fc.constantFrom('a', 'b', 'c', 'd', 'A', 'a:b');
    const scopes = fc.uniqueArray(scope, { maxLength: 5 });
    const resource = fc.constantFrom('https://a.test', 'https://b.test', 'https://c.test', 'https://a.test/');
    const held = fc.record({
      identifier: resource,
      defined: scopes,
      scopes,
      state: fc.constantFrom(
        'active',
        'active',
        'active',
        'revoked',
        'requested',
        'suspended',
      ) as fc.Arbitrary<AccessRecord['state']>,
      serverState: fc.constantFrom('active', 'active', 'active', 'deleted') as fc.Arbitrary<
        ResourceServerRecord['state']
      >,
      expiresAt: fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 1000),
    });
    const asked = fc.record({
      resource: fc.option(resource as fc.Arbitrary<ResourceIndicator>, { nil: undefined }),
      scopes: fc.option(fc.uniqueArray(scope, { minLength: 1, maxLength: 5 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(held, { maxLength: 4, selector: (each) => each.identifier }),
        asked,
        (all, wanted) => {
          const access = all.map((each) =>
            to(
              {
                identifier: each.identifier,
                state: each.serverState,
                scopes: each.defined.map((name) => ({ name, description: '', sensitivity: 0 })),
              },
              { scopes: each.scopes, state: each.state, expiresAt: each.expiresAt },
            ),
          );
          const result = effectiveAccess(facts(...access), wanted as AccessAsked, NOW);
          const usable = access.filter(
            (each) =>
              each.access.state === 'active' &&
              each.access.expiresAt > NOW &&
              each.resourceServer.state === 'active' &&
              (wanted.resource === undefined || each.resourceServer.identifier === wanted.resource),
          );
          if (!result.ok) return;
          const source = usable.find((each) => each.access === result.access);
          expect(source?.resourceServer).toBe(result.resourceServer);
          const defined = result.resourceServer.scopes.map((each) => each.name);
          const expected = (wanted.scopes ?? result.access.scopes).filter(
            (name) => result.access.scopes.includes(name) && defined.includes(name),
          );
          expect(result.scopes).toEqual(expected);
          expect(result.scopes.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
