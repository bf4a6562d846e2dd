import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from './evaluate.ts';
import type { IssuanceFacts, Rule, Verdict } from './rule.ts';
import { methodsAllowedPerEnvironment, parseRefusedMethods } from './methods-allowed-per-environment.ts';
import { tokenLifetimeCeiling } from './token-lifetime-ceiling.ts';

const NOW = 1_800_000_000_400;
const FAR = NOW + 1e9;

function facts(change: Partial<IssuanceFacts> = {}): IssuanceFacts {
  return {
    now: NOW,
    environment: 'prod',
    method: 'client_secret_basic',
    credentialType: 'client_secret',
    credentialId: 'crd_1',
    accessId: 'acs_1',
    declared: undefined,
    refusedMethods: new Map(),
    identityExpiresAt: FAR,
    credentialExpiresAt: FAR,
    credentialCreatedAt: NOW - 1000,
    accessExpiresAt: FAR,
    defaultLifetime: 600,
    maximumLifetime: 3600,
    resourceServerLifetime: undefined,
    accessLifetime: undefined,
    conditions: undefined,
    source: '192.0.2.7',
    boundTo: undefined,
    scopes: ['read'],
    definedScopes: [{ name: 'read', sensitivity: 1 }],
    lifetimeLimits: undefined,
    maximumAge: undefined,
    ...change,
  };
}

describe('the lifetime of a token', () => {
  it.each<[string, Partial<IssuanceFacts>, number]>([
    ['is the default where nothing else says', {}, 600],
    ['is what the resource server says, also beyond the default', { resourceServerLifetime: 1800 }, 1800],
    ['is less where the resource server says less', { resourceServerLifetime: 30 }, 30],
    ['is never above the maximum', { resourceServerLifetime: 86_400 }, 3600],
    ['is never above the maximum by default either', { defaultLifetime: 7200 }, 3600],
    ['is less where the access says less', { accessLifetime: 60 }, 60],
    ['is not more because the access says more', { accessLifetime: 3000 }, 600],
    [
      'is the least of access and resource server',
      { accessLifetime: 900, resourceServerLifetime: 1200 },
      900,
    ],
    ['ends with the identity', { identityExpiresAt: NOW + 45_000 }, 45],
    ['ends with the credential', { credentialExpiresAt: NOW + 45_000 }, 45],
    ['ends with the access', { accessExpiresAt: NOW + 45_000 }, 45],
    ['ends before the second in which one of them ends', { accessExpiresAt: NOW + 1599 }, 1],
  ])('%s', (_, change, lifetime) =>
    expect(tokenLifetimeCeiling.evaluate(facts(change))).toEqual({ kind: 'limit', lifetime }),
  );

  it.each<[string, Partial<IssuanceFacts>]>([
    ['the access ends within this second', { accessExpiresAt: NOW + 599 }],
    ['the identity has ended', { identityExpiresAt: NOW - 1 }],
    ['the credential ends now', { credentialExpiresAt: NOW }],
    ['an access allows nothing', { accessLifetime: 0 }],
  ])('is too short for a token when %s', (_, change) =>
    expect(tokenLifetimeCeiling.evaluate(facts(change))).toEqual({
      kind: 'refuse',
      reason: 'lifetime_exhausted',
    }),
  );

  it('never passes the maximum, nor the end of what it stands on (property)', () => {
    const instant = fc.integer({ min: NOW - 10_000, max: NOW + 10_000_000 });
    const seconds = fc.integer({ min: 1, max: 10_000 });
    const any = fc.record({
      identityExpiresAt: instant,
      credentialExpiresAt: instant,
      accessExpiresAt: instant,
      defaultLifetime: seconds,
      maximumLifetime: seconds,
      resourceServerLifetime: fc.option(seconds, { nil: undefined }),
      accessLifetime: fc.option(seconds, { nil: undefined }),
    });
    fc.assert(
      fc.property(any, (change) => {
        const given = facts(change);
        const decision = evaluate([tokenLifetimeCeiling], given);
        const end = Math.min(given.identityExpiresAt, given.credentialExpiresAt, given.accessExpiresAt);
        if (!decision.ok) {
          expect(end).toBeLessThan(NOW + 1000);
          return;
        }
        expect(Number.isInteger(decision.lifetime)).toBe(true);
        expect(decision.lifetime).toBeGreaterThanOrEqual(1);
        expect(decision.lifetime).toBeLessThanOrEqual(given.maximumLifetime);
        expect(decision.lifetime).toBeLessThanOrEqual(given.accessLifetime ?? Infinity);
        expect(Math.floor(NOW / 1000) + decision.lifetime).toBeLessThanOrEqual(end / 1000);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('methods by environment', () => {
  const TYPES = ['api_key', 'client_secret'];
  const ENVIRONMENTS = ['dev', 'prod'];

  it('are refused exactly where the deployment says so', () => {
    const read = parseRefusedMethods(['api_key@prod', 'client_secret@dev'], TYPES, ENVIRONMENTS);
    const refusedMethods = read.ok ? read.refused : new Map();
    const verdicts = ENVIRONMENTS.flatMap((environment) =>
      TYPES.map(
        (credentialType) =>
          methodsAllowedPerEnvironment.evaluate(facts({ environment, credentialType, refusedMethods })).kind,
      ),
    );
    expect(verdicts).toEqual(['allow', 'refuse', 'refuse', 'allow']);
  });

  it('are all allowed where it says none', () => {
    expect(parseRefusedMethods(['none'], TYPES, ENVIRONMENTS)).toEqual({ ok: true, refused: new Map() });
  });

  it.each(['api_key', 'api_key@', '@prod', 'api_key@prod@dev', 'password@prod', 'api_key@moon', ''])(
    'are not read from %j: a rule with a spelling mistake would allow',
    (pair) => expect(parseRefusedMethods([pair], TYPES, ENVIRONMENTS)).toEqual({ ok: false, pair }),
  );

  it('do not take none beside others', () => {
    const read = parseRefusedMethods(['api_key@prod', 'none'], TYPES, ENVIRONMENTS);
    expect(read).toEqual({ ok: false, pair: 'none' });
  });
});

describe('the rules together', () => {
  const rule = (id: string, verdict: Verdict): Rule => ({ id, evaluate: () => verdict });
  const refuse: Verdict = { kind: 'refuse', reason: 'lifetime_exhausted' };

  it('allow the maximum where none of them says less', () => {
    expect(evaluate([], facts())).toEqual({ ok: true, lifetime: 3600 });
    expect(evaluate([rule('a', { kind: 'allow' })], facts())).toEqual({ ok: true, lifetime: 3600 });
  });

  it('allow the least that one of them allows', () => {
    const limits = [900, 60, 300].map((lifetime) => rule(`limit-${lifetime}`, { kind: 'limit', lifetime }));
    expect(evaluate(limits, facts())).toEqual({ ok: true, lifetime: 60 });
    expect(evaluate([rule('more', { kind: 'limit', lifetime: 9999 })], facts())).toEqual({
      ok: true,
      lifetime: 3600,
    });
  });

  it('refuse when one of them refuses, and name the first', () => {
    const rules = [rule('a', { kind: 'limit', lifetime: 60 }), rule('b', refuse), rule('c', refuse)];
    expect(evaluate(rules, facts())).toEqual({ ok: false, rule: 'b', reason: 'lifetime_exhausted' });
  });
});
