import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IdentityFacts } from '../../registry/facts.ts';
import {
  accessRecord,
  credentialRecord,
  findingRecord,
  identityRecord,
  proposalRecord,
  resourceServerRecord,
  T0,
} from '../../storage/contract/records.ts';
import type { FindingRecord, FindingSeverity } from '../../storage/findings.ts';
import type { Environment, IdentityState } from '../../storage/identities.ts';
import { CEILINGS, type Risk, RISK_GROUPS, type RiskFacts, riskOf } from './score.ts';

const DAY = 86_400_000;

interface Estate {
  readonly environment: Environment;
  readonly sensitivity: number;
  readonly state: IdentityState;
  readonly apis: readonly number[];
  readonly secrets: number;
  readonly age: number;
  readonly severities: readonly FindingSeverity[];
}

function factsOf(estate: Estate): RiskFacts {
  const { environment, sensitivity, state } = estate;
  const identity = identityRecord({ environment, sensitivity, state, expiresAt: T0 + 900 * DAY });
  const facts: IdentityFacts = {
    identity,
    credentials: Array.from({ length: estate.secrets }, () =>
      credentialRecord(identity.id, { createdAt: T0 - estate.age * DAY, expiresAt: T0 + 90 * DAY }),
    ),
    access: estate.apis.map((level) => {
      const scopes = [{ name: 'a', description: 'a', sensitivity: level }];
      const resourceServer = resourceServerRecord({ scopes });
      const access = accessRecord(identity.id, resourceServer.id, { scopes: ['a'], expiresAt: T0 + DAY });
      return { access, resourceServer };
    }),
  };
  const findings = estate.severities.map((severity) => findingRecord(identity.id, { severity }));
  return { facts, findings, proposals: [], maximumAge: () => 90 * DAY, tokenLifetime: 600 };
}

const estates: fc.Arbitrary<Estate> = fc.record({
  environment: fc.constantFrom('dev', 'test', 'staging', 'prod'),
  sensitivity: fc.integer({ min: 0, max: 3 }),
  state: fc.constantFrom('active', 'suspended', 'decommissioning', 'decommissioned', 'draft'),
  apis: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }),
  secrets: fc.integer({ min: 0, max: 4 }),
  age: fc.integer({ min: 0, max: 200 }),
  severities: fc.array(fc.constantFrom('low', 'medium', 'high'), { maxLength: 12 }),
});

const pointsOf = ({ rows }: Risk): number => rows.reduce((sum, { points }) => sum + points, 0);

test('rows sum to the score, each group to no more than its ceiling', () => {
  expect(Object.values(CEILINGS).reduce((sum, each) => sum + each, 0)).toBe(100);
  fc.assert(
    fc.property(estates, (estate) => {
      const risk = riskOf(factsOf(estate), T0);
      expect(pointsOf(risk)).toBe(risk.score);
      expect(risk.score).toBeGreaterThanOrEqual(0);
      expect(risk.score).toBeLessThanOrEqual(100);
      for (const group of RISK_GROUPS) {
        const rows = risk.rows.filter((row) => row.group === group);
        expect(pointsOf({ ...risk, rows })).toBe(
          Math.min(
            CEILINGS[group],
            rows.reduce((sum, { full }) => sum + full, 0),
          ),
        );
      }
      for (const row of risk.rows) expect(row.full).toBeGreaterThanOrEqual(row.points);
    }),
    { numRuns: 50 },
  );
});

test('the same facts give the same rows, in whatever order they come', () => {
  fc.assert(
    fc.property(estates, (estate) => {
      const known = factsOf(estate);
      const turned = { ...known, findings: known.findings.toReversed() };
      expect(riskOf(known, T0)).toEqual(riskOf(known, T0));
      expect(riskOf(turned, T0)).toEqual(riskOf(known, T0));
    }),
    { numRuns: 50 },
  );
});

test('a finding more, a sensitive API more or an older credential never gives a lower score', () => {
  fc.assert(
    fc.property(estates, fc.constantFrom<FindingSeverity>('low', 'medium', 'high'), (estate, severity) => {
      const { score } = riskOf(factsOf(estate), T0);
      const more: readonly Estate[] = [
        { ...estate, severities: [...estate.severities, severity] },
        { ...estate, apis: [...estate.apis, 3] },
        { ...estate, age: estate.age + 30 },
        { ...estate, secrets: estate.secrets + 1 },
      ];
      for (const each of more) expect(riskOf(factsOf(each), T0).score).toBeGreaterThanOrEqual(score);
    }),
    { numRuns: 50 },
  );
});

const plain: Estate = {
  environment: 'prod',
  sensitivity: 2,
  state: 'active',
  apis: [3, 1],
  secrets: 1,
  age: 45,
  severities: ['high', 'low'],
};

test('the arithmetic is what it says', () => {
  const risk = riskOf(factsOf(plain), T0);
  expect(risk.rows.map(({ factor, points }) => [factor, points])).toEqual([
    ['sensitive_scope', 15],
    ['production', 5],
    ['sensitive_identity', 3],
    ['reach', 2],
    ['method', 9],
    ['bearer_tokens', 4],
    ['credential_age', 4],
    ['weak_method', 8],
    ['weak_method', 1],
  ]);
  expect(risk).toMatchObject({ score: 51, band: 'high' });
});

test('an accepted finding counts as before; what cannot act any more risks nothing', () => {
  const known = factsOf(plain);
  const accepted = known.findings.map((each): FindingRecord => ({ ...each, state: 'accepted' }));
  expect(riskOf({ ...known, findings: accepted }, T0).score).toBe(riskOf(known, T0).score);
  expect(riskOf(factsOf({ ...plain, state: 'decommissioned' }), T0)).toEqual({
    score: 0,
    band: 'low',
    rows: [],
  });
});

test('beyond its ceiling a row shows what it would add, and what is left of that', () => {
  const risk = riskOf(factsOf({ ...plain, severities: Array.from({ length: 6 }, () => 'high') }), T0);
  const rows = risk.rows.filter(({ group }) => group === 'findings');
  expect(rows.map(({ points }) => points)).toEqual([8, 8, 8, 8, 3, 0]);
  expect(rows.every(({ full }) => full === 8)).toBe(true);
});

test('what a proposal would take has that as its fix', () => {
  const known = factsOf(plain);
  const proposal = proposalRecord(known.facts.identity.id);
  const { rows } = riskOf({ ...known, proposals: [proposal] }, T0);
  const fix = `countersign proposals apply ${proposal.id}`;
  expect(rows.filter((row) => row.fix === fix).map(({ factor }) => factor)).toEqual([
    'sensitive_scope',
    'reach',
  ]);
});
