import type { Identity } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { identitiesRisk } from './identities-risk.ts';

const members: FieldOverrides = {
  name: { brief: 'What people call it' },
  kind: { brief: 'What it is' },
  environment: { brief: 'Where it runs' },
  purpose: { brief: 'What it is there for' },
  'owner.person': { flag: 'owner', placeholder: 'person', brief: 'Accountable person' },
  'owner.backup': { flag: 'backup', placeholder: 'person', brief: 'Backup person or team' },
  'owner.team': { flag: 'team', brief: 'Team of the owner' },
  cadence: { brief: 'How often it is expected to be used' },
  // --client-id says who asks.
  client_id: {
    flag: 'id',
    placeholder: 'client_id',
    brief: 'Its client_id; made from the name when left out',
  },
  state: { brief: 'State to begin in' },
};

const reason: FieldOverrides = { reason: { brief: 'Why; it stays in the audit log' } };

export const identities: RouteMap<CliContext> = buildNoun<Identity>(
  {
    name: 'identities',
    brief: 'The machines',
    moreExamples: ['identities risk payments'],
    argument: 'IDENTITY',
    get: 'identities.get',
    none: 'There are no such identities.',
    presentation: {
      name: (identity) => identity.client_id,
      columns: [
        { header: 'CLIENT ID', value: (identity) => identity.client_id },
        { header: 'NAME', value: (identity) => identity.name },
        { header: 'KIND', value: (identity) => identity.kind },
        { header: 'ENVIRONMENT', value: (identity) => identity.environment },
        { header: 'STATE', value: (identity) => identity.state },
        { header: 'OWNER', value: (identity) => identity.owner.person },
        { header: 'EXPIRES', value: (identity) => identity.expires_at },
      ],
    },
  },
  {
    list: {
      operation: 'identities.list',
      examples: ['', '--state suspended -o json', '--owner-team payments --all -o name'],
      overrides: {
        state: { brief: 'In this state' },
        kind: { brief: 'Of this kind' },
        environment: { brief: 'That run there' },
        owner_person: { brief: 'Of this owner' },
        owner_team: { brief: 'Of this team' },
      },
    },
    get: {
      operation: 'identities.get',
      examples: ['payments', 'payments --as-of 30d', 'idn_0123456789abcdefghij -o yaml'],
      overrides: { as_of: { span: 'back' } },
    },
    create: {
      operation: 'identities.create',
      examples: [
        '--name payments --id payments --kind service --environment prod --purpose "collects card payments" --owner ada@example.com --for 90d',
      ],
      overrides: members,
      done: 'Created',
    },
    update: {
      operation: 'identities.patch',
      examples: ['payments --owner grace@example.com', 'payments --for 180d'],
      overrides: members,
      done: 'Changed',
    },
    suspend: {
      operation: 'identities.suspend',
      examples: ['payments --reason "leaked in a log" --yes'],
      overrides: reason,
      done: 'Suspended',
    },
    resume: {
      operation: 'identities.resume',
      examples: ['payments --reason "false alarm"'],
      overrides: reason,
      done: resumedText,
    },
    decommission: {
      operation: 'identities.decommission',
      examples: [
        'payments --reason "replaced by billing" --yes',
        'payments --reason "replaced by billing" --force --dry-run',
        'payments --reason "leaked" --now --yes',
      ],
      overrides: {
        ...reason,
        'phases.shadow_days': { flag: 'shadow-days' },
        'phases.brown_outs': { flag: 'brown-outs' },
        'phases.brown_out_minutes': { flag: 'brown-out-minutes' },
        'phases.brown_out_every_hours': { flag: 'brown-out-every-hours' },
        'phases.grace_days': { flag: 'grace-days' },
      },
      done: 'Decommissioning',
    },
    keep: {
      operation: 'identities.keep',
      examples: ['payments --reason "the report still needs it"'],
      overrides: reason,
      done: 'Kept, active:',
    },
    restore: {
      operation: 'identities.restore',
      examples: ['payments --reason "still needed"'],
      overrides: reason,
      done: 'Restored, suspended:',
    },
    submit: { operation: 'identities.submit', examples: ['payments'], overrides: reason, done: 'Submitted' },
    approve: { operation: 'identities.approve', examples: ['payments'], overrides: reason, done: 'Approved' },
    reject: {
      operation: 'identities.reject',
      examples: ['payments --reason "no owner" --yes'],
      overrides: reason,
      done: 'Rejected',
    },
    activate: {
      operation: 'identities.activate',
      examples: ['payments'],
      overrides: reason,
      done: 'Activated',
    },
  },
  { risk: identitiesRisk },
);

/** After a cut-off the first of two people is heard, and nothing works yet. */
function resumedText(identity: object, name: string): string {
  if (!('state' in identity) || identity.state !== 'suspended') return `Resumed ${name}`;
  return `Still suspended: ${name}. Its credentials are revoked; give it a new one, and within a day another person does the same.`;
}
