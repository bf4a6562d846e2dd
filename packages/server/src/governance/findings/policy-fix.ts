import type { Judged } from '../../policy/declared/judge.ts';
import type { DeclaredRuleId } from '../../policy/declared/rules.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { addKey, addSuccessor, command } from './commands.ts';

/** One command that puts right what a rule found. Where only people know what is needed, it shows where to put it. */
export function fixOf(facts: IdentityFacts, { policy, breach }: Judged): string {
  return FIXES[policy.rule](facts, { ...breach, parameters: policy.parameters });
}

interface Found {
  readonly subject: string;
  readonly subjectId: string;
  readonly scopes?: readonly string[] | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
}
type Fix = (facts: IdentityFacts, found: Found) => string;

const FIXES: { readonly [rule in DeclaredRuleId]: Fix } = {
  owner_required: ({ identity: { clientId, owner } }) =>
    command('identities', 'update', clientId, owner.backup === undefined ? '--backup' : '--team', 'NAME'),
  lifetime_ceiling: (_facts, { subject, subjectId, parameters }) =>
    subject === 'credential'
      ? command('credentials', 'revoke', subjectId)
      : command('access', 'update', subjectId, '--for', text(parameters['access'])),
  methods_allowed: ({ identity }) => addKey(identity.clientId),
  credential_age: ({ identity, credentials }, { subjectId }) => {
    const old = credentials.find(({ id }) => id === subjectId);
    return old === undefined ? addKey(identity.clientId) : addSuccessor(identity.clientId, old);
  },
  binding_for_sensitive_scopes: (_facts, { subjectId, parameters }) =>
    command('access', 'update', subjectId, '--binding', text(parameters['binding'] ?? 'any')),
  no_cross_environment: (_facts, { subjectId }) => command('access', 'revoke', subjectId),
  separation_of_duties: withoutScopes,
  third_party_needs_network_and_end: ({ access }, { subjectId, parameters }) => {
    const held = access.find((each) => each.access.id === subjectId);
    return held?.access.conditions?.networks === undefined
      ? command('access', 'update', subjectId, '--networks', '192.0.2.0/24')
      : command('access', 'update', subjectId, '--for', text(parameters['max_end'] ?? '366d'));
  },
  inactivity: ({ identity }) => command('identities', 'suspend', identity.clientId, '--reason', 'inactive'),
  review_cadence: (_facts, { subjectId }) =>
    command('access', 'renew', subjectId, '--for', '90d', '--justification', 'WHY IT IS STILL NEEDED'),
};

function withoutScopes({ access }: IdentityFacts, { subjectId, scopes = [] }: Found): string {
  const held = access.find((each) => each.access.id === subjectId)?.access.scopes ?? [];
  const left = held.filter((scope) => !scopes.includes(scope));
  return left.length === 0
    ? command('access', 'revoke', subjectId)
    : command('access', 'update', subjectId, '--scopes', left.join(','));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '90d';
}
