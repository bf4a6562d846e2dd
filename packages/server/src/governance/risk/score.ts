import type { AccessFacts, IdentityFacts } from '../../registry/facts.ts';
import type { MaximumAge } from '../../registry/credential-age.ts';
import type { CredentialRecord, CredentialType } from '../../storage/credentials.ts';
import type { FindingRecord, FindingSeverity } from '../../storage/findings.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';

/** All that the score is made of. */
export interface RiskFacts {
  readonly facts: IdentityFacts;
  /** Live ones: open and accepted. That somebody answers for a risk does not make it smaller. */
  readonly findings: readonly FindingRecord[];
  /** Live ones. */
  readonly proposals: readonly ProposalRecord[];
  readonly maximumAge: MaximumAge;
  /** Seconds that tokens live where nothing else is said. */
  readonly tokenLifetime: number;
}

export const RISK_GROUPS = ['reach', 'proof', 'findings'] as const;
export type RiskGroup = (typeof RISK_GROUPS)[number];

/** One line of the sum. */
export interface RiskRow {
  readonly group: RiskGroup;
  readonly factor: string;
  /** What it adds to the score; all of them sum to it. */
  readonly points: number;
  /** What it would add if its group had no ceiling. */
  readonly full: number;
  readonly why: string;
  /** One command that makes it smaller, with a dry run; undefined: it is what the identity is there for. */
  readonly fix: string | undefined;
}

export interface Risk {
  /** 0 to 100. */
  readonly score: number;
  readonly band: 'low' | 'medium' | 'high' | 'critical';
  /** Of each group the heaviest first. */
  readonly rows: readonly RiskRow[];
}

/** What each group adds at most: 100 together. */
export const CEILINGS: { readonly [group in RiskGroup]: number } = { reach: 35, proof: 30, findings: 35 };

const BY_SEVERITY: { readonly [severity in FindingSeverity]: number } = { high: 8, medium: 4, low: 1 };
const BY_METHOD: { readonly [type in CredentialType]: number } = {
  api_key: 12,
  client_secret: 9,
  private_key_jwt: 3,
  self_signed_tls_client_auth: 2,
  tls_client_auth: 1,
  federated: 0,
  spiffe: 0,
};
/** Of these the same bits prove it for as long as they last. */
const AGES: ReadonlySet<CredentialType> = new Set([
  'api_key',
  'client_secret',
  'private_key_jwt',
  'self_signed_tls_client_auth',
]);
const BY_SENSITIVITY = [0, 0, 3, 7] as const;
const POINTS_A_LEVEL = 5;
const PRODUCTION = 5;
const MOST_AGE = 8;
const BEARER = 4;
const LONG_TOKENS = 4;
const LONG_TOKEN_SECONDS = 900;
const MANY_CREDENTIALS = 2;
const MANY = 2;

type Line = Omit<RiskRow, 'points' | 'group'>;

/** Pure: the same facts give the same rows, and a finding more never a lower score. What cannot act any more risks nothing. */
export function riskOf(known: RiskFacts, now: number): Risk {
  const { identity } = known.facts;
  const acts =
    identity.state === 'active' || identity.state === 'suspended' || identity.state === 'decommissioning';
  const rows = acts
    ? [
        ...underCeiling('reach', reachLines(known, now)),
        ...underCeiling('proof', proofLines(known, now)),
        ...underCeiling('findings', known.findings.map(findingLine)),
      ]
    : [];
  const score = rows.reduce((sum, { points }) => sum + points, 0);
  return { score, band: bandOf(score), rows };
}

export function bandOf(score: number): Risk['band'] {
  if (score >= 75) return 'critical';
  if (score >= 50) return 'high';
  return score >= 25 ? 'medium' : 'low';
}

/** The heaviest first, each with what is left below the ceiling. */
function underCeiling(group: RiskGroup, lines: readonly Line[]): readonly RiskRow[] {
  let left = CEILINGS[group];
  return lines
    .filter(({ full }) => full > 0)
    .toSorted(
      (one, other) =>
        other.full - one.full ||
        compare(one.factor, other.factor) ||
        compare(one.why + (one.fix ?? ''), other.why + (other.fix ?? '')),
    )
    .map((line) => {
      const points = Math.min(line.full, left);
      left -= points;
      return { group, ...line, points };
    });
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function reachLines({ facts, proposals }: RiskFacts, now: number): readonly Line[] {
  const { identity } = facts;
  const access = facts.access.filter((each) => each.access.expiresAt > now);
  const proposed = proposals.find(
    ({ kind, state }) => state === 'open' && (kind === 'remove' || kind === 'narrow'),
  );
  const fix = proposed && `countersign proposals apply ${proposed.id}`;
  const most = Math.max(0, ...access.map(sensitivityOf));
  const apis = new Set(access.map(({ resourceServer }) => resourceServer.id)).size;
  return [
    {
      factor: 'sensitive_scope',
      full: most * POINTS_A_LEVEL,
      why: `its most sensitive scope has sensitivity ${most}: ${POINTS_A_LEVEL} for each level`,
      fix,
    },
    {
      factor: 'reach',
      full: pointsOfReach(apis),
      why: `it reaches ${apis} APIs: 2 from two, 5 from four, 8 from ten on`,
      fix,
    },
    {
      factor: 'production',
      full: identity.environment === 'prod' ? PRODUCTION : 0,
      why: 'it runs in prod',
      fix: undefined,
    },
    {
      factor: 'sensitive_identity',
      full: BY_SENSITIVITY[identity.sensitivity] ?? 0,
      why: `its own sensitivity is ${identity.sensitivity}: 3 for 2, 7 for 3`,
      fix: undefined,
    },
  ];
}

function sensitivityOf({ access, resourceServer }: AccessFacts): number {
  const held = resourceServer.scopes.filter(({ name }) => access.scopes.includes(name));
  return Math.max(0, ...held.map(({ sensitivity }) => sensitivity));
}

function pointsOfReach(apis: number): number {
  if (apis >= 10) return 8;
  if (apis >= 4) return 5;
  return apis >= 2 ? 2 : 0;
}

function proofLines({ facts, maximumAge, tokenLifetime }: RiskFacts, now: number): readonly Line[] {
  const { identity } = facts;
  const usable = facts.credentials.filter(({ state, expiresAt }) => state === 'active' && expiresAt > now);
  const weakest = usable.toSorted(
    (one, other) => BY_METHOD[other.material.type] - BY_METHOD[one.material.type],
  )[0];
  const oldest = usable
    .filter(({ material }) => AGES.has(material.type))
    .map((each) => ({
      each,
      share: ageShare(each, maximumAge(each.material.type, identity.environment), now),
    }))
    .toSorted((one, other) => other.share - one.share)[0];
  const better = `countersign credentials create ${identity.clientId} --type private_key_jwt --jwk-file public.jwk`;
  const access = facts.access.filter((each) => each.access.expiresAt > now);
  const bearer = access.find(
    ({ access: { conditions }, resourceServer }) =>
      resourceServer.senderConstraint === 'none' && conditions?.binding === undefined,
  );
  const long = access.find((each) => lifetimeOf(each, tokenLifetime) > LONG_TOKEN_SECONDS);
  const eldest = usable.at(-1);
  return [
    {
      factor: 'method',
      full: weakest === undefined ? 0 : BY_METHOD[weakest.material.type],
      why: `its weakest credential is of type ${weakest?.material.type ?? 'none'}`,
      fix: better,
    },
    {
      factor: 'credential_age',
      full: Math.floor((oldest?.share ?? 0) * MOST_AGE),
      why: `its oldest credential has used up ${Math.floor((oldest?.share ?? 0) * 100)} % of what it may last: ${MOST_AGE} for all of it`,
      fix: better,
    },
    {
      factor: 'bearer_tokens',
      full: bearer === undefined ? 0 : BEARER,
      why: `its tokens for ${bearer?.resourceServer.identifier ?? 'no API'} work for whoever holds them`,
      fix: bearer && `countersign access update ${bearer.access.id} --binding any`,
    },
    {
      factor: 'long_tokens',
      full: long === undefined ? 0 : LONG_TOKENS,
      why: `its tokens for ${long?.resourceServer.identifier ?? 'no API'} live longer than ${LONG_TOKEN_SECONDS / 60} minutes`,
      fix: long && `countersign access update ${long.access.id} --token-lifetime ${LONG_TOKEN_SECONDS}`,
    },
    {
      factor: 'many_credentials',
      full: usable.length > MANY ? MANY_CREDENTIALS : 0,
      why: `it has ${usable.length} credentials that work`,
      fix: eldest && `countersign credentials revoke ${eldest.id}`,
    },
  ];
}

function ageShare({ createdAt }: CredentialRecord, most: number, now: number): number {
  return Math.min(1, Math.max(0, now - createdAt) / most);
}

function lifetimeOf({ access, resourceServer }: AccessFacts, usual: number): number {
  return Math.min(access.tokenLifetime ?? Infinity, resourceServer.token.lifetime ?? usual);
}

function findingLine({ kind, severity, state, reason, fix }: FindingRecord): Line {
  const why = `${severity}: ${reason}${state === 'accepted' ? ' (accepted, and there all the same)' : ''}`;
  return { factor: kind, full: BY_SEVERITY[severity], why, fix };
}
