import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { declaredPolicies } from '../declared-policies.ts';
import type { IssuanceFacts } from '../rule.ts';
import { actsAt, breachesOf, type DeclaredPolicy, judge, leastSensitivityOf, matches } from './judge.ts';
import { type AccessHeld, holdsAt, type HolderFacts, POLICY_MODES, type PolicyFacts } from './policy-rule.ts';
import { DECLARED_RULES, type DeclaredRuleId } from './rules.ts';
import { standingVerdict } from './standing-verdict.ts';

const DAY = 86_400_000;
const NOW = 1000 * DAY;
const FRAUD = 'https://fraud.test';

const holder: HolderFacts = {
  id: 'idn_1',
  clientId: 'payments',
  kind: 'service',
  environment: 'prod',
  sensitivity: 2,
  person: 'ada',
  backup: 'lin',
  team: 'Treasury',
  pauseMs: DAY,
};
const held = (change: Partial<AccessHeld> = {}): AccessHeld => ({
  id: 'acs_1',
  resourceServer: FRAUD,
  scopes: [{ name: 'read', sensitivity: 1 }],
  tokenLifetime: undefined,
  networks: undefined,
  binding: undefined,
  decidedAt: NOW - 10 * DAY,
  expiresAt: NOW + 30 * DAY,
  ...change,
});
const credential = (change: Partial<PolicyFacts['credentials'][number]> = {}) => ({
  id: 'crd_1',
  type: 'private_key_jwt',
  createdAt: NOW - 10 * DAY,
  expiresAt: NOW + 30 * DAY,
  ...change,
});
const factsOf = (change: Partial<PolicyFacts> = {}, whose: Partial<HolderFacts> = {}): PolicyFacts => ({
  identity: { ...holder, ...whose },
  credentials: [credential()],
  access: [held()],
  ...change,
});
const policyOf = (
  rule: DeclaredRuleId,
  parameters: Record<string, unknown>,
  change: Partial<DeclaredPolicy> = {},
): DeclaredPolicy => ({
  id: 'pol_1',
  name: rule,
  rule,
  parameters,
  mode: 'enforce',
  match: {},
  ...change,
});

type Row = readonly [string, Record<string, unknown>, PolicyFacts, readonly string[]];
const sensitive = [
  { name: 'read', sensitivity: 1 },
  { name: 'pay', sensitivity: 3 },
];
const pair = [{ one: { scope: 'create' }, other: { scope: 'approve' } }];
const scopes = (...names: readonly string[]) => names.map((name) => ({ name, sensitivity: 1 }));

/** What each rule finds at NOW: subjects of the breaches. */
const TABLE: { readonly [rule in DeclaredRuleId]: readonly Row[] } = {
  owner_required: [
    ['a backup is there', {}, factsOf(), []],
    ['no backup', {}, factsOf({}, { backup: undefined }), ['idn_1']],
    ['no backup where none is wanted', { backup: false }, factsOf({}, { backup: undefined }), []],
    ['no team', { team: true }, factsOf({}, { team: undefined }), ['idn_1']],
    ['neither', { team: true }, factsOf({}, { team: undefined, backup: undefined }), ['idn_1', 'idn_1']],
  ],
  lifetime_ceiling: [
    ['a credential that lives as long as it may', { credential: '40d' }, factsOf(), []],
    ['a credential that lives longer', { credential: '39d' }, factsOf(), ['crd_1']],
    ['an access that ends in time', { access: '30d' }, factsOf(), []],
    ['an access that ends later', { access: '29d' }, factsOf(), ['acs_1']],
    ['tokens alone are no breach', { token: '1m' }, factsOf(), []],
  ],
  methods_allowed: [
    ['one that is allowed', { methods: ['private_key_jwt'] }, factsOf(), []],
    ['one that is not', { methods: ['tls_client_auth'] }, factsOf(), ['crd_1']],
  ],
  credential_age: [
    ['one of its last day', { max_age: '10d' }, factsOf(), []],
    ['one that is older', { max_age: '9d' }, factsOf(), ['crd_1']],
    ['one of another method', { max_age: '9d', methods: ['api_key'] }, factsOf(), []],
  ],
  binding_for_sensitive_scopes: [
    ['nothing sensitive', {}, factsOf(), []],
    ['a sensitive scope', {}, factsOf({ access: [held({ scopes: sensitive })] }), ['acs_1']],
    [
      'one that asks for a proof',
      {},
      factsOf({ access: [held({ scopes: sensitive, binding: 'dpop' })] }),
      [],
    ],
    [
      'one that asks for another proof',
      { binding: 'mtls' },
      factsOf({ access: [held({ scopes: sensitive, binding: 'dpop' })] }),
      ['acs_1'],
    ],
    ['a lower bar', { min_sensitivity: 1 }, factsOf(), ['acs_1']],
  ],
  no_cross_environment: [
    ['an API of its own', { environments: { prod: [FRAUD] } }, factsOf(), []],
    ['an API of another', { environments: { test: [FRAUD] } }, factsOf(), ['acs_1']],
    ['an API by its beginning', { environments: { test: ['https://fra*'] } }, factsOf(), ['acs_1']],
    ['an API of two', { environments: { test: [FRAUD], prod: [FRAUD] } }, factsOf(), []],
    ['an API of none', { environments: { test: ['https://other.test'] } }, factsOf(), []],
  ],
  separation_of_duties: [
    ['one half', { pairs: pair }, factsOf({ access: [held({ scopes: scopes('create') })] }), []],
    [
      'both at one API',
      { pairs: pair },
      factsOf({ access: [held({ scopes: scopes('create', 'approve') })] }),
      ['acs_1', 'acs_1'],
    ],
    [
      'both at two',
      { pairs: pair },
      factsOf({
        access: [
          held({ scopes: scopes('create') }),
          held({ id: 'acs_2', resourceServer: 'https://b.test', scopes: scopes('approve') }),
        ],
      }),
      ['acs_1', 'acs_2'],
    ],
    [
      'the other half at another API than is meant',
      {
        pairs: [{ one: { scope: 'create' }, other: { scope: 'approve', resource_server: 'https://b.test' } }],
      },
      factsOf({ access: [held({ scopes: scopes('create', 'approve') })] }),
      [],
    ],
    [
      'the other half with another identity, which is not asked',
      { pairs: pair },
      factsOf({
        access: [held({ scopes: scopes('create') })],
        elsewhere: [{ clientId: 'x', resourceServer: FRAUD, scopes: ['approve'] }],
      }),
      [],
    ],
    [
      'the other half with another identity of the owner',
      { pairs: pair, across: 'owner' },
      factsOf({
        access: [held({ scopes: scopes('create') })],
        elsewhere: [{ clientId: 'x', resourceServer: FRAUD, scopes: ['approve'] }],
      }),
      ['acs_1'],
    ],
  ],
  third_party_needs_network_and_end: [
    ['one of ours', {}, factsOf(), []],
    ['a third party without a network', {}, factsOf({}, { kind: 'third_party' }), ['acs_1']],
    [
      'a third party with one',
      {},
      factsOf({ access: [held({ networks: ['192.0.2.0/24'] })] }, { kind: 'third_party' }),
      [],
    ],
    [
      'a third party that ends too late',
      { max_end: '29d' },
      factsOf({ access: [held({ networks: ['192.0.2.0/24'] })] }, { kind: 'third_party' }),
      ['acs_1'],
    ],
  ],
  inactivity: [
    ['nobody knows', {}, factsOf(), []],
    ['quiet for less', {}, factsOf({ quietSince: NOW - 29 * DAY }), []],
    ['quiet for as long', {}, factsOf({ quietSince: NOW - 30 * DAY }), ['idn_1']],
    ['twice its cadence is longer', {}, factsOf({ quietSince: NOW - 40 * DAY }, { pauseMs: 31 * DAY }), []],
    ['it may be quiet', {}, factsOf({ quietSince: 0 }, { pauseMs: undefined }), []],
    ['a longer window', { after: '60d' }, factsOf({ quietSince: NOW - 40 * DAY }), []],
  ],
  review_cadence: [
    ['decided in time', { every: '10d' }, factsOf(), []],
    ['decided too long ago', { every: '9d' }, factsOf(), ['acs_1']],
    ['not sensitive enough', { every: '9d', min_sensitivity: 2 }, factsOf(), []],
  ],
};

const ROWS = Object.entries(TABLE).flatMap(([rule, rows]) =>
  rows.map(([name, parameters, facts, expected]) => ({
    rule: rule as DeclaredRuleId,
    name,
    parameters,
    facts,
    expected,
  })),
);

test.each(ROWS)('$rule: $name', ({ rule, parameters, facts, expected }) => {
  const found = breachesOf({ rule, parameters }, facts).filter((breach) => holdsAt(breach, NOW));
  expect(found.map(({ subjectId }) => subjectId)).toEqual(expected);
  for (const { why } of found) expect(why).not.toBe('');
});

test('what looks at how sensitive a scope is says from where on, and at nothing below', () => {
  const calledAt = (facts: PolicyFacts, level: number): PolicyFacts => ({
    ...facts,
    access: facts.access.map((each) => ({
      ...each,
      scopes: each.scopes.map(({ name }) => ({ name, sensitivity: level })),
    })),
  });
  const looking = ROWS.flatMap(({ rule, parameters, facts }) => {
    const found = [0, 1, 2, 3].map(
      (level) => breachesOf({ rule, parameters }, calledAt(facts, level)).length,
    );
    const changes = [1, 2, 3].filter((level) => found[level] !== found[level - 1]);
    if (changes.length > 0) expect(changes).toEqual([leastSensitivityOf({ rule, parameters })]);
    return changes.length > 0 ? [rule] : [];
  });
  expect(new Set(looking)).toEqual(new Set(['binding_for_sensitive_scopes', 'review_cadence']));
});

describe('which identities a policy is about', () => {
  it.each([
    [{}, true],
    [{ environments: ['prod'] }, true],
    [{ environments: ['dev'] }, false],
    [{ kinds: ['job'] }, false],
    [{ minSensitivity: 2 }, true],
    [{ minSensitivity: 3 }, false],
    [{ teams: ['treasury'] }, true],
    [{ teams: ['risk'] }, false],
    [{ environments: ['prod'], teams: ['risk'] }, false],
  ])('%j: %s', (match, expected) => {
    expect(matches(match, holder)).toBe(expected);
  });

  it('who has no team is in none', () => {
    expect(matches({ teams: ['risk'] }, { ...holder, team: undefined })).toBe(false);
  });
});

/** A token of this identity, with all its first access holds. */
const issuance = (facts: PolicyFacts, declared: IssuanceFacts['declared'], now = NOW): IssuanceFacts =>
  ({
    now,
    declared,
    credentialId: facts.credentials[0]?.id ?? '',
    accessId: facts.access[0]?.id ?? '',
    scopes: facts.access[0]?.scopes.map(({ name }) => name) ?? [],
    boundTo: undefined,
  }) as unknown as IssuanceFacts;

describe('the ladder of modes', () => {
  const anyFacts = fc.record({
    backup: fc.option(fc.constant('lin'), { nil: undefined }),
    kind: fc.constantFrom('service', 'third_party'),
    type: fc.constantFrom('client_secret', 'private_key_jwt'),
    age: fc.integer({ min: 0, max: 100 }),
    decided: fc.integer({ min: 0, max: 100 }),
    ends: fc.integer({ min: 1, max: 400 }),
    binding: fc.constantFrom(undefined, 'dpop' as const),
    names: fc.uniqueArray(fc.constantFrom('create', 'approve', 'read'), { minLength: 1 }),
  });
  const anyPolicy = fc.constantFrom<readonly [DeclaredRuleId, Record<string, unknown>]>(
    ['owner_required', {}],
    ['lifetime_ceiling', { credential: '60d', access: '90d' }],
    ['methods_allowed', { methods: ['private_key_jwt'] }],
    ['credential_age', { max_age: '50d' }],
    ['binding_for_sensitive_scopes', { min_sensitivity: 1 }],
    ['no_cross_environment', { environments: { test: [FRAUD] } }],
    ['separation_of_duties', { pairs: pair }],
    ['third_party_needs_network_and_end', {}],
    ['review_cadence', { every: '30d' }],
  );

  it('enforcing refuses at issuance exactly what reporting finds there', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (made, [rule, parameters]) => {
        const facts = factsOf(
          {
            credentials: [credential({ type: made.type, createdAt: NOW - made.age * DAY })],
            access: [
              held({
                scopes: scopes(...made.names),
                decidedAt: NOW - made.decided * DAY,
                expiresAt: NOW + made.ends * DAY,
                binding: made.binding,
              }),
            ],
          },
          { backup: made.backup, kind: made.kind },
        );
        const found = POLICY_MODES.map((mode) => {
          const policy = policyOf(rule, parameters, { mode });
          return judge([policy], facts).filter(({ breach }) => holdsAt(breach, NOW)).length;
        });
        // Whatever its mode, a policy finds the same.
        expect(new Set(found).size).toBe(1);
        const refusing = POLICY_MODES.map((mode) => {
          const policy = policyOf(rule, parameters, { mode });
          const verdict = standingVerdict([policy], facts, new Map());
          return declaredPolicies.evaluate(issuance(facts, verdict)).kind === 'refuse';
        });
        const acts = actsAt({ rule }, 'issuance');
        expect(refusing).toEqual([false, false, false, acts && (found[0] ?? 0) > 0]);
      }),
      { numRuns: 200 },
    );
  });

  it('every rule says where it acts, and all are looked at in the round', () => {
    for (const rule of Object.values(DECLARED_RULES)) expect(rule.actsAt).toContain('round');
  });
});

describe('what is enforced at issuance', () => {
  const aged = policyOf('credential_age', { max_age: '30d' });

  it('comes by the clock alone: the verdict was made before', () => {
    const facts = factsOf();
    const verdict = standingVerdict([aged], facts, new Map());
    const at = (now: number) => declaredPolicies.evaluate(issuance(facts, verdict, now)).kind;
    const limit = NOW + 20 * DAY;
    expect([at(NOW), at(limit), at(limit + 1)]).toEqual(['allow', 'allow', 'refuse']);
  });

  it('an exception holds until its end, and not an instant longer', () => {
    const facts = factsOf({ credentials: [credential({ createdAt: NOW - 90 * DAY })] });
    const verdict = standingVerdict([aged], facts, new Map([['pol_1', NOW + DAY]]));
    const at = (now: number) => declaredPolicies.evaluate(issuance(facts, verdict, now)).kind;
    expect([at(NOW), at(NOW + DAY - 1), at(NOW + DAY)]).toEqual(['allow', 'allow', 'refuse']);
  });

  it('concerns the credential or access that breaks it, and no other', () => {
    const facts = factsOf({
      credentials: [credential({ createdAt: 0 }), credential({ id: 'crd_2' })],
    });
    const verdict = standingVerdict([aged], facts, new Map());
    const token = issuance(facts, verdict);
    expect(declaredPolicies.evaluate(token).kind).toBe('refuse');
    expect(declaredPolicies.evaluate({ ...token, credentialId: 'crd_2' }).kind).toBe('allow');
  });

  it('a bound token passes where a binding is wanted, and a token without the sensitive scope', () => {
    const facts = factsOf({ access: [held({ scopes: sensitive })] });
    const verdict = standingVerdict([policyOf('binding_for_sensitive_scopes', {})], facts, new Map());
    const token = issuance(facts, verdict);
    const kindOf = (change: Partial<IssuanceFacts>) =>
      declaredPolicies.evaluate({ ...token, ...change }).kind;
    expect(kindOf({})).toBe('refuse');
    expect(kindOf({ boundTo: 'dpop' })).toBe('allow');
    expect(kindOf({ scopes: ['read'] })).toBe('allow');
    const mtls = standingVerdict(
      [policyOf('binding_for_sensitive_scopes', { binding: 'mtls' })],
      facts,
      new Map(),
    );
    expect(kindOf({ declared: mtls, boundTo: 'dpop' })).toBe('refuse');
    expect(kindOf({ declared: mtls, boundTo: 'mtls' })).toBe('allow');
  });

  it('tokens are cut to the least ceiling, and not refused for it', () => {
    const facts = factsOf();
    const ceilings = [
      policyOf('lifetime_ceiling', { token: '10m' }),
      policyOf('lifetime_ceiling', { token: '5m' }),
    ];
    const verdict = standingVerdict(ceilings, facts, new Map());
    expect(declaredPolicies.evaluate(issuance(facts, verdict))).toEqual({ kind: 'limit', lifetime: 300 });
  });

  it('says which policy refused, by which rule, and why', () => {
    const facts = factsOf({ credentials: [credential({ createdAt: 0 })] });
    const verdict = standingVerdict([aged], facts, new Map());
    expect(declaredPolicies.evaluate(issuance(facts, verdict))).toMatchObject({
      kind: 'refuse',
      reason: 'policy_enforced',
      evidence: {
        policy: 'credential_age',
        rule: 'credential_age',
        why: 'is a private_key_jwt older than 30d',
      },
    });
  });

  it('at any instant it refuses, and shortens, as each policy by itself would', () => {
    const day = fc.integer({ min: -200, max: 200 }).map((days) => NOW + days * DAY);
    const policies = ['10d', '40d', '90d'].flatMap((max_age, at) => [
      policyOf('credential_age', { max_age }, { id: `pol_age_${at}` }),
      policyOf('lifetime_ceiling', { token: `${10 - at}m` }, { id: `pol_ceiling_${at}` }),
    ]);
    const ends = fc.array(fc.tuple(fc.constantFrom(...policies.map(({ id }) => id)), day), { maxLength: 6 });
    fc.assert(
      fc.property(day, ends, day, (createdAt, exempt, now) => {
        const facts = factsOf({ credentials: [credential({ createdAt })] });
        const told = (asked: readonly DeclaredPolicy[]) =>
          declaredPolicies.evaluate(issuance(facts, standingVerdict(asked, facts, new Map(exempt)), now));
        const alone = policies.map((policy) => told([policy]));
        const together = told(policies);
        expect(together.kind === 'refuse').toBe(alone.some(({ kind }) => kind === 'refuse'));
        if (together.kind === 'refuse') return;
        const lifetimes = alone.map((each) => (each.kind === 'limit' ? each.lifetime : Infinity));
        const least = Math.min(...lifetimes);
        expect(together).toEqual(least === Infinity ? { kind: 'allow' } : { kind: 'limit', lifetime: least });
      }),
      { numRuns: 300 },
    );
  });

  it('costs nothing where nothing is enforced: there is no verdict', () => {
    expect(
      standingVerdict(
        [policyOf('credential_age', { max_age: '30d' }, { mode: 'warn' })],
        factsOf(),
        new Map(),
      ),
    ).toBeUndefined();
    expect(standingVerdict([policyOf('owner_required', {})], factsOf(), new Map())).toBeUndefined();
  });
});
