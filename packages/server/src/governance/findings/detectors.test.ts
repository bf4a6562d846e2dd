import { describe, expect, test } from 'vitest';
import {
  accessRecord,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
  T0,
} from '../../storage/contract/records.ts';
import type { CredentialMaterial, CredentialRecord } from '../../storage/credentials.ts';
import type { Environment, IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { NOTHING_TOLD } from '../../registry/use/told-of-use.ts';
import type { Circumstances, Detector } from './detector.ts';
import { sharedKey } from './shared-key.ts';
import { oldCredential } from './old-credential.ts';
import { uncachedClient } from './uncached-client.ts';
import { weakMethod } from './weak-method.ts';
import { wideAccess } from './wide-access.ts';

const DAY = 86_400_000;
const SECRET: CredentialMaterial = { type: 'client_secret', publicId: 'p', digest: 'ZA' };
const KEY: CredentialMaterial = { type: 'api_key', publicId: 'k', digest: 'ZA' };
const ASSERTION: CredentialMaterial = {
  type: 'private_key_jwt',
  jwk: { kty: 'EC' },
  allowTokenEndpointAudience: false,
};

function factsOf(change: {
  identity?: Partial<IdentityRecord>;
  credentials?: readonly Partial<CredentialRecord>[];
  scopes?: readonly string[];
  server?: Partial<ResourceServerRecord>;
}): IdentityFacts {
  const identity = identityRecord({
    clientId: 'payments',
    sensitivity: 1,
    expiresAt: T0 + 400 * DAY,
    ...change.identity,
  });
  const resourceServer = resourceServerRecord({ identifier: 'https://fraud.example', ...change.server });
  const access = accessRecord(identity.id, resourceServer.id, {
    ...(change.scopes === undefined ? {} : { scopes: change.scopes }),
    expiresAt: T0 + 300 * DAY,
  });
  return {
    identity,
    credentials: (change.credentials ?? []).map((each) => credentialRecord(identity.id, each)),
    access: [{ access, resourceServer }],
  };
}

function observe(
  detector: Detector,
  facts: IdentityFacts,
  change: Partial<Circumstances> = {},
): ReturnType<Detector['observe']> {
  return detector.observe(facts, {
    now: T0,
    maximumAge: () => 90 * DAY,
    suspendedForMs: 30 * DAY,
    silentWebhooks: [],
    paces: new Map(),
    keySharers: new Map(),
    ...NOTHING_TOLD,
    ...change,
  });
}

describe('weak_method', () => {
  const severity = (material: CredentialMaterial, environment: Environment, sensitivity = 1): string => {
    const facts = factsOf({ identity: { environment, sensitivity }, credentials: [{ material }] });
    return observe(weakMethod, facts)[0]?.severity ?? '-';
  };
  const everywhere = (material: CredentialMaterial): string[] =>
    (['dev', 'test', 'staging', 'prod'] as const).map((environment) => severity(material, environment));

  test('weighs each method by where it is used', () => {
    expect(everywhere(KEY)).toEqual(['low', 'low', 'medium', 'high']);
    expect(everywhere(SECRET)).toEqual(['-', '-', 'low', 'medium']);
    expect(everywhere(ASSERTION)).toEqual(['-', '-', '-', '-']);
    expect(everywhere({ type: 'spiffe', spiffeId: 'spiffe://a/b' })).toEqual(['-', '-', '-', '-']);
  });

  test('an assertion with the audience of the token endpoint is weaker than one without', () => {
    const lenient = { ...ASSERTION, allowTokenEndpointAudience: true } as CredentialMaterial;
    expect(everywhere(lenient)).toEqual(['low', 'low', 'low', 'medium']);
  });

  test('a secret of a sensitive identity in prod weighs most', () => {
    expect(severity(SECRET, 'prod', 2)).toBe('high');
  });

  test('says why and names the command', () => {
    const facts = factsOf({ credentials: [{ material: SECRET }] });
    expect(observe(weakMethod, facts)).toEqual([
      {
        subject: 'credential',
        subjectId: facts.credentials[0]?.id,
        severity: 'medium',
        reason: expect.stringMatching(/^client_secret in prod: a client secret can be copied/),
        fix: 'countersign credentials create payments --type private_key_jwt --jwk-file public.jwk',
      },
    ]);
  });

  test('a secret of the built-in admin has a week, and then weighs as much as it does', () => {
    const admin = { builtIn: true, sensitivity: 3 } as const;
    const seen = (now: number, material: CredentialMaterial, identity: object = admin): unknown =>
      observe(weakMethod, factsOf({ identity, credentials: [{ material }] }), { now })[0]?.severity;
    expect(seen(T0 + 7 * DAY - 1, SECRET)).toBeUndefined();
    expect(seen(T0 + 7 * DAY, SECRET)).toBe('high');
    expect(seen(T0, KEY)).toBe('high');
    expect(seen(T0, SECRET, { sensitivity: 3 })).toBe('high');
  });

  test('what works no more is nobody’s problem', () => {
    const credentials = [{ state: 'revoked' }, { state: 'suspended' }, { expiresAt: T0 }] as const;
    expect(observe(weakMethod, factsOf({ credentials }))).toEqual([]);
  });
});

describe('old_credential', () => {
  const at = (now: number, credentials: readonly Partial<CredentialRecord>[], identity = {}) =>
    observe(oldCredential, factsOf({ credentials, identity }), { now });
  const ninety = { expiresAt: T0 + 90 * DAY };

  test('a fresh one is none, then it has used up most, then its end is near, then at hand', () => {
    const seen = (days: number): string | undefined => at(T0 + days * DAY, [ninety])[0]?.severity;
    expect([0, 71, 72, 75, 76, 86, 87, 89].map(seen)).toEqual([
      undefined,
      undefined,
      'low',
      'low',
      'medium',
      'medium',
      'high',
      'high',
    ]);
    expect(seen(90)).toBeUndefined();
  });

  test('for a short life the last quarter is near', () => {
    const hour = 3_600_000;
    const short = { expiresAt: T0 + 4 * hour };
    expect(at(T0 + 2 * hour, [short])).toEqual([]);
    expect(at(T0 + 3 * hour, [short])).toHaveLength(1);
  });

  test('a successor turns it into something to revoke', () => {
    const successor = { createdAt: T0 + 80 * DAY, expiresAt: T0 + 170 * DAY };
    const [observed, ...more] = at(T0 + 81 * DAY, [ninety, successor]);
    expect(more).toEqual([]);
    expect(observed?.severity).toBe('low');
    expect(observed?.fix).toBe(`countersign credentials revoke ${observed?.subjectId}`);
  });

  test('a younger one of another type, or that ends sooner, is no successor', () => {
    const others = [
      { material: ASSERTION, createdAt: T0 + 80 * DAY, expiresAt: T0 + 170 * DAY },
      { createdAt: T0 + 80 * DAY, expiresAt: T0 + 85 * DAY },
    ];
    const [observed] = at(T0 + 81 * DAY, [ninety, ...others]);
    expect(observed?.fix).toBe(
      `countersign credentials rotate ${observed?.subjectId} --secret-file payments-next.secret`,
    );
  });

  test('older than its method may be weighs most, however far its end', () => {
    const [observed] = at(T0 + 100 * DAY, [{ expiresAt: T0 + 300 * DAY }]);
    expect(observed).toMatchObject({ severity: 'high', reason: expect.stringContaining('90 days') });
  });

  test('one that ends with its identity needs a longer identity first', () => {
    const [observed] = at(T0 + 85 * DAY, [ninety], { expiresAt: T0 + 90 * DAY });
    expect(observed?.fix).toBe('countersign identities update payments --for 90d');
  });

  test('of one whose keys others hold, another one is made; each value is one word of a shell', () => {
    const material: CredentialMaterial = {
      type: 'federated',
      trustedIssuer: 'tis_1',
      subjectKey: 'k',
      conditions: { sub: "$(rm -rf '.')" },
    };
    const [observed] = at(T0 + 85 * DAY, [{ ...ninety, material }]);
    expect(observed?.fix).toBe(
      `countersign credentials create payments --type federated --trusted-issuer tis_1 --condition 'sub=$(rm -rf '\\''.'\\'')'`,
    );
  });
});

describe('wide_access', () => {
  const BOTH = ['fraud:read', 'fraud:write'];
  const sensitivities = (...levels: number[]) =>
    levels.map((sensitivity, i) => ({ name: BOTH[i] ?? `s${i}`, description: '', sensitivity }));

  test('every scope of an API with sensitive ones is too much; less, or harmless ones, are not', () => {
    const severity = (levels: number[], scopes: readonly string[]): string =>
      observe(wideAccess, factsOf({ scopes, server: { scopes: sensitivities(...levels) } }))[0]?.severity ??
      '-';
    expect(severity([1, 3], BOTH)).toBe('high');
    expect(severity([1, 2], BOTH)).toBe('medium');
    expect(severity([1, 1], BOTH)).toBe('-');
    expect(severity([1, 3], ['fraud:write'])).toBe('-');
    expect(severity([3], ['fraud:read'])).toBe('-');
  });

  test('proposes what is left without the most sensitive ones', () => {
    const [observed] = observe(wideAccess, factsOf({ scopes: BOTH }));
    expect(observed?.fix).toBe(`countersign access update ${observed?.subjectId} --scopes fraud:read`);
  });

  test('the built-in admin may do everything', () => {
    expect(observe(wideAccess, factsOf({ scopes: BOTH, identity: { builtIn: true } }))).toEqual([]);
  });

  test('an access that is over is none', () => {
    expect(observe(wideAccess, factsOf({ scopes: BOTH }), { now: T0 + 300 * DAY })).toEqual([]);
  });

  test('an API key without limits is too wide; either limit is one', () => {
    const found = (material: CredentialMaterial): number =>
      observe(wideAccess, factsOf({ credentials: [{ material }] })).length;
    expect(found(KEY)).toBe(1);
    expect(found({ ...KEY, scopes: ['a'] } as CredentialMaterial)).toBe(0);
    expect(found({ ...KEY, resourceServerId: 'rsv_1' } as CredentialMaterial)).toBe(0);
    expect(found(SECRET)).toBe(0);
  });
});

describe('uncached_client', () => {
  const facts = factsOf({});
  const accessId = facts.access[0]?.access.id ?? '';
  const HOUR = 3_600_000;
  const seen = (
    tokens: number,
    more: { lifetime?: number; sources?: number; elapsed?: number } = {},
  ): string => {
    const pace = { accessId, tokens, lifetime: 600, sources: 1, elapsed: HOUR, ...more };
    return observe(uncachedClient, facts, { paces: new Map([[accessId, pace]]) })[0]?.severity ?? '-';
  };

  test('ten tokens for one lifetime are many, a hundred are very many', () => {
    expect([12, 59, 60, 599, 600].map((tokens) => seen(tokens))).toEqual(['-', '-', 'low', 'low', 'medium']);
  });

  test('each copy may keep a token of its own; beyond so many nobody knows', () => {
    expect(seen(600, { sources: 10 })).toBe('low');
    expect(seen(600, { sources: 11 })).toBe('-');
    expect(seen(1_000_000, { sources: 64 })).toBe('-');
  });

  test('too short a look, or too few tokens, say nothing', () => {
    expect(seen(1000, { elapsed: 500_000 })).toBe('-');
    expect(seen(29, { lifetime: 86_400 })).toBe('-');
    expect(seen(30, { lifetime: 86_400 })).toBe('low');
  });

  test('nothing counted is nothing known', () => {
    expect(observe(uncachedClient, facts)).toEqual([]);
  });
});

describe('shared_key', () => {
  const facts = (environment: Environment = 'prod') =>
    factsOf({ identity: { environment }, credentials: [{ id: 'crd_1', material: ASSERTION }] });
  const shared = (others: readonly string[], environment?: Environment) =>
    observe(sharedKey, facts(environment), { keySharers: new Map([['crd_1', others]]) });

  test('says who has it too, weighs it by where it is used, and asks for a key of its own', () => {
    expect(shared(['orders', 'billing'])).toEqual([
      {
        subject: 'credential',
        subjectId: 'crd_1',
        severity: 'high',
        reason: expect.stringMatching(/^its public key is registered for billing, orders too: /),
        fix: 'countersign credentials rotate crd_1 --jwk-file public.jwk',
      },
    ]);
    expect((['dev', 'staging'] as const).map((each) => shared(['a'], each)[0]?.severity)).toEqual([
      'low',
      'medium',
    ]);
    expect(shared([])).toEqual([]);
  });

  test('names five of many', () => {
    expect(shared(['a', 'b', 'c', 'd', 'e', 'f', 'g'])[0]?.reason).toContain('a, b, c, d, e and 2 more');
  });
});
