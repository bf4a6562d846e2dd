import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credentialMaximumAge } from './credential-maximum-age.ts';
import { parseLimits, spanSeconds } from './limit-table.ts';
import type { IssuanceFacts } from './rule.ts';
import { parseLifetimeLimits, tokenLifetimeLimits } from './token-lifetime-limits.ts';

const TYPES = ['client_secret', 'api_key', 'private_key_jwt'];
const ENVIRONMENTS = ['dev', 'prod'];
const NOW = 1_800_000_000_400;

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
    identityExpiresAt: NOW + 1e9,
    credentialExpiresAt: NOW + 1e9,
    credentialCreatedAt: NOW - 1000,
    accessExpiresAt: NOW + 1e9,
    defaultLifetime: 600,
    maximumLifetime: 3600,
    resourceServerLifetime: undefined,
    accessLifetime: undefined,
    conditions: undefined,
    source: '192.0.2.7',
    boundTo: undefined,
    scopes: ['read'],
    definedScopes: [
      { name: 'read', sensitivity: 1 },
      { name: 'write', sensitivity: 2 },
      { name: 'erase', sensitivity: 3 },
    ],
    lifetimeLimits: undefined,
    maximumAge: undefined,
    ...change,
  };
}

describe('a table of limits', () => {
  const limit = (entries: readonly string[], type = 'client_secret', environment = 'prod'): unknown => {
    const read = parseLimits(entries, TYPES, ENVIRONMENTS);
    return read.ok ? read.limits.get(environment)?.get(type) : read.entry;
  };

  it('says seconds for a pair, with * for all of either', () => {
    expect(limit(['client_secret@prod=30d'])).toBe(2_592_000);
    expect(limit(['client_secret@prod=30d'], 'client_secret', 'dev')).toBeUndefined();
    expect(limit(['*@prod=12h'], 'api_key')).toBe(43_200);
    expect(limit(['api_key@*=90s'], 'api_key', 'dev')).toBe(90);
    expect(limit(['*@*=10m'], 'private_key_jwt', 'dev')).toBe(600);
    expect(limit([])).toBeUndefined();
  });

  it('takes the least of several that fit, in whatever order', () => {
    const entries = ['*@*=1h', 'client_secret@*=10m', '*@prod=20m'];
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: 3 }), (shuffled) => limit(shuffled) === 600),
    );
  });

  it.each([
    '',
    '=',
    'client_secret=5m',
    'client_secret@prod',
    'secret@prod=5m',
    'client_secret@moon=5m',
    '@prod=5m',
  ])('refuses %j', (entry) => expect(limit([entry])).toBe(entry));

  it.each(['5', '0m', '-5m', '5w', '5m ', '1e3s', '05m', '9999999999s', ''])(
    'takes %j for no span',
    (span) => {
      expect(spanSeconds(span)).toBeUndefined();
      expect(limit([`client_secret@prod=${span}`])).toBe(`client_secret@prod=${span}`);
    },
  );
});

describe('token-lifetime-limits', () => {
  const lifetime = (entries: readonly string[], change: Partial<IssuanceFacts> = {}): unknown => {
    const read = parseLifetimeLimits(entries, TYPES, ENVIRONMENTS);
    if (!read.ok) return read.entry;
    const verdict = tokenLifetimeLimits.evaluate(facts({ lifetimeLimits: read.limits, ...change }));
    return verdict.kind === 'limit' ? verdict.lifetime : verdict.kind;
  };

  it('allows what it says nothing about', () => {
    expect(lifetime([])).toBe('allow');
    expect(lifetime(['api_key@*=1m'])).toBe('allow');
    expect(lifetime(['sensitivity-3=1m'])).toBe('allow');
  });

  it('limits by credential and environment', () => {
    expect(lifetime(['client_secret@prod=5m'])).toBe(300);
    expect(lifetime(['client_secret@prod=5m'], { environment: 'dev' })).toBe('allow');
    expect(lifetime(['client_secret@prod=5m'], { credentialType: 'private_key_jwt' })).toBe('allow');
  });

  it('limits by the most sensitive scope that the token holds', () => {
    const entries = ['sensitivity-1=15m', 'sensitivity-2=5m', 'sensitivity-3=1m'];
    expect(lifetime(entries, { scopes: ['read'] })).toBe(900);
    expect(lifetime(entries, { scopes: ['read', 'write'] })).toBe(300);
    expect(lifetime(entries, { scopes: ['erase', 'read'] })).toBe(60);
  });

  it('never lets the more sensitive live longer than the less', () => {
    expect(lifetime(['sensitivity-1=5m'], { scopes: ['erase'] })).toBe(300);
    expect(lifetime(['sensitivity-1=5m', 'sensitivity-2=1h'], { scopes: ['write'] })).toBe(300);
  });

  it('takes the least of both', () => {
    expect(lifetime(['client_secret@*=2m', 'sensitivity-1=10m'])).toBe(120);
    expect(lifetime(['client_secret@*=20m', 'sensitivity-1=10m'])).toBe(600);
  });

  it.each(['sensitivity-4=5m', 'sensitivity-1=', 'sensitivity-1=soon', 'sensitivity=5m'])(
    'refuses %j',
    (entry) => expect(lifetime([entry])).toBe(entry),
  );
});

describe('credential-maximum-age', () => {
  const verdict = (age: number, maximum: number | undefined): string =>
    credentialMaximumAge.evaluate(
      facts({
        credentialCreatedAt: NOW - age,
        maximumAge: maximum === undefined ? undefined : () => maximum,
      }),
    ).kind;

  it('refuses what is older, to the millisecond', () => {
    expect(verdict(1000, 1000)).toBe('allow');
    expect(verdict(1001, 1000)).toBe('refuse');
  });

  it('refuses nothing where age is only reported', () => expect(verdict(1e12, undefined)).toBe('allow'));

  it('asks for the age of this type in this environment', () => {
    const asked: string[] = [];
    credentialMaximumAge.evaluate(
      facts({ maximumAge: (type, environment) => asked.push(`${type}@${environment}`) * 1e12 }),
    );
    expect(asked).toEqual(['client_secret@prod']);
  });
});
