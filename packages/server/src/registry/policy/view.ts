import type { PolicyExceptionRecord } from '../../storage/policy-exceptions.ts';
import type { PolicyMode, PolicyRecord, PolicyRuleId, PolicyTest } from '../../storage/policies.ts';
import { rfc3339 } from '../views.ts';

export interface PolicyView {
  id: string;
  name: string;
  rule: PolicyRuleId;
  parameters: Record<string, unknown>;
  mode: PolicyMode;
  match: {
    environments?: ('dev' | 'test' | 'staging' | 'prod')[];
    kinds?: ('service' | 'job' | 'pipeline' | 'device' | 'gateway' | 'agent' | 'third_party')[];
    min_sensitivity?: number;
    teams?: string[];
  };
  tests: PolicyTest[];
  state: PolicyRecord['state'];
  created_at: string;
  updated_at: string;
  version: number;
}

export function policyView(record: PolicyRecord): PolicyView {
  const { environments, kinds, minSensitivity, teams } = record.match;
  return {
    id: record.id,
    name: record.name,
    rule: record.rule,
    parameters: { ...record.parameters },
    mode: record.mode,
    match: {
      ...(environments === undefined ? {} : { environments: [...environments] }),
      ...(kinds === undefined ? {} : { kinds: [...kinds] }),
      ...(minSensitivity === undefined ? {} : { min_sensitivity: minSensitivity }),
      ...(teams === undefined ? {} : { teams: [...teams] }),
    },
    tests: [...record.tests],
    state: record.state,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface PolicyExceptionView {
  id: string;
  policy: string;
  policy_name: string;
  identity: string;
  client_id: string;
  reason: string;
  approved_by: string;
  expires_at: string;
  state: PolicyExceptionRecord['state'];
  created_at: string;
  updated_at: string;
  version: number;
}

/** Who and what it is about, by name. */
export interface ExceptionEnds {
  readonly policyName: string;
  readonly clientId: string;
}

export function policyExceptionView(
  record: PolicyExceptionRecord,
  { policyName, clientId }: ExceptionEnds,
): PolicyExceptionView {
  return {
    id: record.id,
    policy: record.policyId,
    policy_name: policyName,
    identity: record.identityId,
    client_id: clientId,
    reason: record.reason,
    approved_by: record.approvedBy,
    expires_at: rfc3339(record.expiresAt),
    state: record.state,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}
