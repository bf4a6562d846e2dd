import { PEOPLE_SCOPES, type PeopleScope, type Permission } from './scopes.ts';

/** What a person may be here: docs/guide/sign-in.md. */
export const ROLES = ['admin', 'operator', 'approver', 'owner', 'reviewer', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

const EVERYBODY: readonly Role[] = ROLES;
const ALL_BUT_OWNERS: readonly Role[] = ['admin', 'operator', 'approver', 'auditor'];
const OPERATION: readonly Role[] = ['admin', 'operator'];
/** An owner acts only on what is its own. */
const CHANGES: readonly Role[] = ['admin', 'operator', 'owner'];

/**
 * Which roles hold what. Complete by its type: whoever adds a scope says here who has it. Who says whose tokens are believed
 * says who has which role: that is nobody's but the admin's.
 */
export const SCOPE_ROLES: { readonly [scope in Permission]: readonly Role[] } = {
  'identities:read': EVERYBODY,
  'identities:write': CHANGES,
  'credentials:read': EVERYBODY,
  'credentials:write': CHANGES,
  'certificates:read': EVERYBODY,
  'certificates:write': CHANGES,
  'resource-servers:read': EVERYBODY,
  'resource-servers:write': OPERATION,
  'trusted-issuers:read': ALL_BUT_OWNERS,
  'trusted-issuers:write': ['admin'],
  'people:read': EVERYBODY,
  'people:write': OPERATION,
  'access:read': EVERYBODY,
  'access:write': CHANGES,
  'keys:read': ALL_BUT_OWNERS,
  'keys:write': OPERATION,
  'audit:read': ALL_BUT_OWNERS,
  'findings:read': EVERYBODY,
  'findings:write': CHANGES,
  'cutoffs:read': EVERYBODY,
  'cutoffs:write': CHANGES,
  'webhooks:read': ALL_BUT_OWNERS,
  'webhooks:write': OPERATION,
  'workloads:read': EVERYBODY,
  'workloads:write': OPERATION,
  'trust-domains:read': ALL_BUT_OWNERS,
  'trust-domains:write': ['admin'],
  'svids:issue': OPERATION,
  'leaks:write': OPERATION,
  'usage:write': OPERATION,
  'metrics:read': [...OPERATION, 'auditor'],
  'approvals:read': EVERYBODY,
  'approvals:write': ['admin', 'approver'],
  'reviews:read': EVERYBODY,
  'reviews:write': OPERATION,
  'reviews:decide': ['admin', 'approver', 'owner', 'reviewer'],
  'ownership:accept': ['admin', 'operator', 'approver', 'owner', 'reviewer'],
  'approval-rules:read': EVERYBODY,
  'approval-rules:write': ['admin'],
  'policies:read': EVERYBODY,
  'policies:write': ['admin'],
};

export const PERMISSIONS: readonly Permission[] = Object.keys(SCOPE_ROLES) as Permission[];

/** What somebody with these roles may do. `owner` alone limits it to what is its own: `limitedToOwn`. */
export function scopesOfRoles(roles: Iterable<Role>): readonly Permission[] {
  const held = new Set(roles);
  return PERMISSIONS.filter((scope) => SCOPE_ROLES[scope].some((role) => held.has(role)));
}

/**
 * Whether these roles hold the scope only for what is the person's own. What is offered to somebody is not theirs yet: the
 * offer itself says who may take it; so does an item of a review say who decides on it.
 */
export function limitedToOwn(roles: Iterable<Role>, scope: Permission): boolean {
  if (scope === 'ownership:accept' || scope === 'reviews:decide') return false;
  const holding = [...roles].filter((role) => SCOPE_ROLES[scope].includes(role));
  return holding.length > 0 && holding.every((role) => role === 'owner');
}

/** Whether only people can hold it: no access of a machine has it. */
export function isPeopleScope(scope: Permission): scope is PeopleScope {
  return Object.hasOwn(PEOPLE_SCOPES, scope);
}
