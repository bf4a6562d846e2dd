import type { AccessConditions, AccessRecord, Binding, Day } from '../storage/access.ts';
import type { CutoffKind, CutoffRecord } from '../storage/cutoffs.ts';
import type {
  Cadence,
  DecommissionPlan,
  Environment,
  IdentityKind,
  IdentityRecord,
  IdentityState,
} from '../storage/identities.ts';
import type { ResourceServerRecord, ScopeDefinition, SigningAlgorithm } from '../storage/resource-servers.ts';

/**
 * Records as people and programs see them: in answers of the admin API, in the before and after of audit events, in
 * dry runs. Nothing secret and no digest is in any of them.
 */

export interface DecommissionPlanView {
  phase: DecommissionPlan['phase'];
  forced: boolean;
  began_at: string;
  shadow_until: string;
  brown_outs: { from: string; to: string }[];
  stop_at: string;
  ends_at: string;
}

function planView(plan: DecommissionPlan): DecommissionPlanView {
  return {
    phase: plan.phase,
    forced: plan.forced,
    began_at: rfc3339(plan.beganAt),
    shadow_until: rfc3339(plan.shadowUntil),
    brown_outs: plan.brownOuts.map(({ from, to }) => ({ from: rfc3339(from), to: rfc3339(to) })),
    stop_at: rfc3339(plan.stopAt),
    ends_at: rfc3339(plan.endsAt),
  };
}

export interface IdentityView {
  id: string;
  client_id: string;
  name: string;
  kind: IdentityKind;
  environment: Environment;
  purpose: string;
  owner: { person: string; backup: string | null; team: string | null };
  sensitivity: number;
  cadence: Cadence;
  state: IdentityState;
  state_reason: string | null;
  state_since: string;
  activation: 'first_proof' | null;
  decommissioning: DecommissionPlanView | null;
  security_stop: boolean;
  built_in: boolean;
  expires_at: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function identityView(record: IdentityRecord): IdentityView {
  const { person, backup, team } = record.owner;
  return {
    id: record.id,
    client_id: record.clientId,
    name: record.name,
    kind: record.kind,
    environment: record.environment,
    purpose: record.purpose,
    owner: { person, backup: backup ?? null, team: team ?? null },
    sensitivity: record.sensitivity,
    cadence: record.cadence,
    state: record.state,
    state_reason: record.stateReason ?? null,
    state_since: rfc3339(record.stateSince),
    activation: record.activation ?? null,
    decommissioning: record.decommissioning === undefined ? null : planView(record.decommissioning),
    security_stop: record.securityStop,
    built_in: record.builtIn,
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface ResourceServerView {
  id: string;
  identifier: string;
  name: string;
  scopes: ScopeDefinition[];
  token: {
    format: 'jwt' | 'opaque' | 'cwt';
    lifetime: number | null;
    signing_alg: SigningAlgorithm;
    status_list: boolean;
    typ: 'at+jwt' | 'JWT';
  };
  sender_constraint: 'none' | 'dpop' | 'mtls';
  state: 'active' | 'deleted';
  built_in: boolean;
  created_at: string;
  updated_at: string;
  version: number;
}

export function resourceServerView(record: ResourceServerRecord): ResourceServerView {
  const { format, lifetime, signingAlg, typ, statusList = false } = record.token;
  return {
    id: record.id,
    identifier: record.identifier,
    name: record.name,
    scopes: record.scopes.map(({ name, description, sensitivity }) => ({ name, description, sensitivity })),
    token: { format, lifetime: lifetime ?? null, signing_alg: signingAlg, typ, status_list: statusList },
    sender_constraint: record.senderConstraint,
    state: record.state,
    built_in: record.builtIn,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface AccessView {
  id: string;
  identity: string;
  client_id: string;
  resource_server: string;
  resource: string;
  scopes: string[];
  justification: string;
  state: AccessRecord['state'];
  requested_by: string;
  approved_by: string | null;
  approved_at: string | null;
  token_lifetime: number | null;
  conditions: ConditionsView | null;
  approval: string | null;
  expires_at: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function accessView(record: AccessRecord, clientId: string, identifier: string): AccessView {
  return {
    id: record.id,
    identity: record.identityId,
    client_id: clientId,
    resource_server: record.resourceServerId,
    resource: identifier,
    scopes: [...record.scopes],
    justification: record.justification,
    state: record.state,
    requested_by: record.requestedBy,
    approved_by: record.approvedBy ?? null,
    approved_at: record.approvedAt === undefined ? null : rfc3339(record.approvedAt),
    token_lifetime: record.tokenLifetime ?? null,
    conditions: record.conditions === undefined ? null : conditionsView(record.conditions),
    approval: record.approvalId ?? null,
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface ConditionsView {
  networks?: string[];
  times?: { days: Day[]; from: string; to: string; time_zone: string }[];
  binding?: Binding;
}

function conditionsView({ networks, times, binding }: AccessConditions): ConditionsView {
  return {
    ...(networks === undefined ? {} : { networks: [...networks] }),
    ...(times === undefined ? {} : { times: times.map((each) => ({ ...each, days: [...each.days] })) }),
    ...(binding === undefined ? {} : { binding }),
  };
}

export interface CutoffView {
  id: string;
  cursor: number;
  kind: CutoffKind;
  target: string;
  not_before: string;
  reason: string;
  ordered_by: string;
  created_at: string;
}

export function cutoffView(record: CutoffRecord): CutoffView {
  return {
    id: record.id,
    cursor: record.cursor,
    kind: record.kind,
    target: record.target,
    not_before: rfc3339(record.notBefore * 1000),
    reason: record.reason,
    ordered_by: record.orderedBy,
    created_at: rfc3339(record.createdAt),
  };
}

/** Epoch ms as RFC 3339 in UTC. */
export function rfc3339(at: number): string {
  return new Date(at).toISOString();
}
