/** Every scope of the admin API, which is an ordinary resource server of its own authority. */
export const ADMIN_SCOPES = {
  'identities:read': { description: 'See identities, their owners and states', sensitivity: 1 },
  'identities:write': { description: 'Create, change, suspend and decommission identities', sensitivity: 3 },
  'credentials:read': { description: 'See credentials; never their secrets', sensitivity: 1 },
  'credentials:write': { description: 'Create, change and revoke credentials', sensitivity: 3 },
  'certificates:read': {
    description: 'See certificates of the built-in authority, and its authorities',
    sensitivity: 1,
  },
  'certificates:write': { description: 'Issue and revoke certificates', sensitivity: 3 },
  'resource-servers:read': { description: 'See resource servers and their scopes', sensitivity: 1 },
  'resource-servers:write': { description: 'Create, change and delete resource servers', sensitivity: 2 },
  'trusted-issuers:read': { description: 'See trusted issuers and try tokens of theirs', sensitivity: 1 },
  'trusted-issuers:write': { description: 'Create, change and delete trusted issuers', sensitivity: 3 },
  'access:read': { description: 'See who has access to what', sensitivity: 1 },
  'access:write': { description: 'Give, change and revoke access', sensitivity: 3 },
  'approvals:read': { description: 'See what waits for approval, and what was decided', sensitivity: 1 },
  'approval-rules:read': { description: 'See what needs approval', sensitivity: 1 },
  'approval-rules:write': { description: 'Say what needs approval', sensitivity: 3 },
  'policies:read': {
    description: 'See policies, exceptions from them, and whom one would refuse',
    sensitivity: 1,
  },
  'policies:write': { description: 'Declare policies and end exceptions from them', sensitivity: 3 },
  'reviews:read': { description: 'See reviews, their items and what was decided', sensitivity: 1 },
  'reviews:write': { description: 'Plan, start and close reviews', sensitivity: 3 },
  'keys:read': { description: 'See signing keys; never their private part', sensitivity: 0 },
  'keys:write': {
    description: 'Rotate signing keys, and say which authority issues certificates',
    sensitivity: 3,
  },
  'audit:read': { description: 'Read the audit log and explain requests', sensitivity: 2 },
  'people:read': { description: 'See people and teams', sensitivity: 1 },
  'people:write': { description: 'Keep people and teams, and say who left', sensitivity: 3 },
  'findings:read': { description: 'See what is wrong with identities', sensitivity: 1 },
  'findings:write': { description: 'Accept findings for a time, and reopen them', sensitivity: 2 },
  'webhooks:read': { description: 'See where notices go, and what became of them', sensitivity: 1 },
  'webhooks:write': { description: 'Say where notices go', sensitivity: 2 },
  'cutoffs:read': { description: 'See cut-offs', sensitivity: 1 },
  'cutoffs:write': { description: 'Cut off identities, credentials, tokens and keys', sensitivity: 3 },
  'leaks:write': { description: 'Tell of secrets that were found where they should not be', sensitivity: 2 },
  'workloads:read': { description: 'See which workloads agents serve', sensitivity: 1 },
  'workloads:write': { description: 'Register workloads with agents', sensitivity: 3 },
  'trust-domains:read': { description: 'See declared SPIFFE trust domains', sensitivity: 1 },
  'trust-domains:write': {
    description: 'Say which other SPIFFE trust domains are believed',
    sensitivity: 3,
  },
  'svids:issue': {
    description: 'Get SVIDs for the workloads that are registered with oneself: for agents',
    sensitivity: 3,
  },
  'usage:write': { description: 'Report use from resource servers', sensitivity: 1 },
  'metrics:read': { description: 'Read the metrics of the authority', sensitivity: 1 },
} as const satisfies Record<string, { readonly description: string; readonly sensitivity: 0 | 1 | 2 | 3 }>;

export type AdminScope = keyof typeof ADMIN_SCOPES;

export const ADMIN_SCOPE_NAMES: readonly AdminScope[] = Object.keys(ADMIN_SCOPES) as AdminScope[];

/** What only people may do: never part of an access, so no machine can hold it. Each comes with roles (roles.ts). */
export const PEOPLE_SCOPES = {
  'approvals:write': {
    description: 'Approve and reject, resume after a security stop, lift a cut-off, except from a policy',
    sensitivity: 3,
  },
  'reviews:decide': { description: 'Decide on items of reviews that are asked of oneself', sensitivity: 3 },
  'ownership:accept': { description: 'Accept and decline what is offered to oneself', sensitivity: 2 },
} as const satisfies Record<string, { readonly description: string; readonly sensitivity: 0 | 1 | 2 | 3 }>;

export type PeopleScope = keyof typeof PEOPLE_SCOPES;

/** What an operation may need. */
export type Permission = AdminScope | PeopleScope;
