import type { ChangeEvent } from '../../audit/change.ts';

export type ObjectKind =
  | 'Identity'
  | 'Credential'
  | 'ResourceServer'
  | 'TrustedIssuer'
  | 'Access'
  | 'ApprovalRule'
  | 'Policy'
  | 'PolicyException'
  | 'SigningKey'
  | 'Cutoff'
  | 'Finding'
  | 'Person'
  | 'Team'
  | 'OwnershipOffer'
  | 'Review'
  | 'ReviewItem'
  | 'Webhook'
  | 'Proposal'
  | 'Certificate'
  | 'CertificateAuthority'
  | 'ClaimCode'
  | 'Workload'
  | 'TrustDomain';
type View = Record<string, unknown>;

/** One object before and after a change. */
export interface ObjectDifference {
  op: 'create' | 'update' | 'delete';
  kind: ObjectKind;
  name: string;
  before: View | null;
  after: View | null;
  /** Members that differ, sorted. */
  fields: string[];
}

const KINDS: ReadonlyMap<string, ObjectKind> = new Map([
  ['identity', 'Identity'],
  ['credential', 'Credential'],
  ['resource_server', 'ResourceServer'],
  ['trusted_issuer', 'TrustedIssuer'],
  ['access', 'Access'],
  ['approval_rule', 'ApprovalRule'],
  ['policy', 'Policy'],
  ['policy_exception', 'PolicyException'],
  ['key', 'SigningKey'],
  ['cutoff', 'Cutoff'],
  ['finding', 'Finding'],
  ['person', 'Person'],
  ['team', 'Team'],
  ['ownership_offer', 'OwnershipOffer'],
  ['review', 'Review'],
  ['review_item', 'ReviewItem'],
  ['webhook', 'Webhook'],
  ['proposal', 'Proposal'],
  ['certificate', 'Certificate'],
  ['certificate_authority', 'CertificateAuthority'],
  ['claim_code', 'ClaimCode'],
  ['workload', 'Workload'],
  ['trust_domain', 'TrustDomain'],
]);
const ENDS = new Set([
  'revoked',
  'expired',
  'lapsed',
  'deleted',
  'decommissioning',
  'decommissioned',
  'compromised',
  'retired',
]);
/** Of no interest in a difference: they differ always, or are made up for each run. */
const BOOKKEEPING = ['version', 'created_at', 'updated_at', 'cursor'];
const MADE_UP = ['id', 'identity', 'resource_server', 'public_id'];

/** What the events of one change say together: one entry per object, in the order of first mention. */
export function differenceOf(events: readonly ChangeEvent[]): ObjectDifference[] {
  const byObject = new Map<
    string,
    { kind: ObjectKind; id: string; verb: string; before?: View; after?: View }
  >();
  for (const event of events) {
    const [noun = '', verb = ''] = event.type.split('.');
    const kind = KINDS.get(noun);
    if (kind === undefined) continue;
    const known = byObject.get(event.resource);
    const after = event.after as View | undefined;
    if (known === undefined) {
      const before = event.before as View | undefined;
      byObject.set(event.resource, {
        kind,
        id: event.resource,
        verb,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      });
    } else {
      known.verb = verb;
      if (after !== undefined) known.after = after;
    }
  }
  return [...byObject.values()].map(({ kind, id, verb, before, after }) => {
    const op = before === undefined ? 'create' : ENDS.has(verb) ? 'delete' : 'update';
    const hidden = op === 'create' ? [...BOOKKEEPING, ...MADE_UP] : BOOKKEEPING;
    const shownBefore = without(before, hidden);
    const shownAfter = without(after, hidden);
    return {
      op,
      kind,
      name: nameOf(kind, id, after ?? before ?? {}),
      before: shownBefore,
      after: shownAfter,
      fields: differing(shownBefore ?? {}, shownAfter ?? {}),
    };
  });
}

function without(view: View | undefined, members: readonly string[]): View | null {
  if (view === undefined) return null;
  return Object.fromEntries(Object.entries(view).filter(([member]) => !members.includes(member)));
}

function differing(before: View, after: View): string[] {
  const members = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...members]
    .filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
    .sort();
}

/** As people name it: in dry runs an id would be made up. */
function nameOf(kind: ObjectKind, id: string, view: View): string {
  const member = (name: string): string => (typeof view[name] === 'string' ? view[name] : '?');
  if (kind === 'Identity') return member('client_id');
  if (kind === 'ResourceServer') return member('identifier');
  if (kind === 'TrustedIssuer') return member('issuer');
  if (kind === 'Person') return member('handle');
  if (kind === 'Team') return member('name');
  if (kind === 'OwnershipOffer') return `${member('client_id')} → ${member('to')}`;
  if (kind === 'Certificate' || kind === 'ClaimCode') return member('client_id');
  if (kind === 'Workload') return `${member('agent')}: ${member('spiffe_id')}`;
  if (kind === 'TrustDomain') return member('trust_domain');
  if (kind === 'CertificateAuthority') return member('role');
  if (kind === 'Proposal') return `${member('client_id')}: ${member('kind')}`;
  if (kind === 'Access') return `${member('client_id')} → ${member('resource')}`;
  if (kind === 'ApprovalRule' || kind === 'Policy' || kind === 'Webhook' || kind === 'Review')
    return member('name');
  if (kind === 'PolicyException') return `${member('client_id')} from ${member('policy_name')}`;
  if (kind === 'ReviewItem') return member('access');
  if (kind === 'Credential') return `${member('client_id')}/${member('label')}`;
  if (kind === 'Cutoff') return `${member('kind')} ${member('target')}`;
  return id;
}
