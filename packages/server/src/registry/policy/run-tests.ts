import { breachesOf, type DeclaredPolicy, matches } from '../../policy/declared/judge.ts';
import { type Breach, holdsAt, type PolicyFacts } from '../../policy/declared/policy-rule.ts';
import { spanMs } from '../../policy/declared/span.ts';
import type { PolicyTest } from '../../storage/policies.ts';
import { usualPause } from '../inactivity.ts';

export interface TestFailure {
  name: string;
  expected: PolicyTest['expect'];
  came: PolicyTest['expect'];
  /** What the policy found. */
  why: string[];
}

type Tested = Pick<DeclaredPolicy, 'rule' | 'parameters' | 'mode' | 'match'>;

/** The tests that do not come out as they expect. Pure: what they are given is made up. */
export function failuresOf(policy: Tested, tests: readonly PolicyTest[]): readonly TestFailure[] {
  return tests.flatMap((test) => {
    const found = brokenBy(policy, test);
    if (isAsExpected(policy, test.expect, found.length > 0)) return [];
    const came = found.length === 0 ? 'allow' : policy.mode === 'enforce' ? 'refuse' : 'warn';
    return [{ name: test.name, expected: test.expect, came, why: found.map(({ why }) => why) }];
  });
}

/**
 * `refuse` is what it refuses once it is enforced, so that a policy is brought from `report` to `enforce` without a word
 * in its tests; `warn` is what it does not refuse as it is now, and finds.
 */
function isAsExpected({ mode }: Tested, expected: PolicyTest['expect'], broken: boolean): boolean {
  if (expected === 'allow') return !broken;
  return broken && (expected === 'refuse' || mode !== 'enforce');
}

const AT = 0;

function brokenBy({ rule, parameters, match }: Tested, { given }: PolicyTest): readonly Breach[] {
  const facts = factsGiven(given);
  if (!matches(match, facts.identity)) return [];
  return breachesOf({ rule, parameters }, facts).filter(
    (breach) => holdsAt(breach, AT) && !isBoundAsWanted(breach, given.bound),
  );
}

function isBoundAsWanted({ unlessBound }: Breach, bound: 'dpop' | 'mtls' | undefined): boolean {
  return unlessBound !== undefined && bound !== undefined && (unlessBound === 'any' || unlessBound === bound);
}

/** Spans count from the instant that is judged, which is 0. */
function factsGiven({ identity, ...given }: PolicyTest['given']): PolicyFacts {
  const ago = (span: string | undefined): number => (span === undefined ? AT : AT - spanMs(span));
  return {
    identity: {
      id: 'idn_test',
      clientId: 'test',
      kind: identity.kind,
      environment: identity.environment,
      sensitivity: identity.sensitivity,
      person: 'somebody',
      backup: identity.backup,
      team: identity.team,
      pauseMs: usualPause(identity.cadence),
    },
    credentials: given.credentials.map(({ type, age, ends_in: endsIn }, index) => ({
      id: `crd_${index}`,
      type,
      createdAt: ago(age),
      expiresAt: AT + spanMs(endsIn),
    })),
    access: given.access.map((each, index) => ({
      id: `acs_${index}`,
      resourceServer: each.resource_server,
      scopes: each.scopes,
      tokenLifetime: undefined,
      networks: each.networks,
      binding: each.binding,
      decidedAt: ago(each.decided),
      expiresAt: AT + spanMs(each.ends_in),
    })),
    elsewhere: given.elsewhere?.map(({ resource_server: resourceServer, scopes }) => ({
      clientId: 'another',
      resourceServer,
      scopes,
    })),
    quietSince: given.quiet_for === undefined ? undefined : ago(given.quiet_for),
  };
}
