import type { Target } from './context.ts';

export interface Entry {
  readonly brief: string;
  readonly hidden?: true;
  readonly load: () => Promise<Target>;
}

/**
 * Every command, in the order of the help. A start loads the one that is named and no other: adding one is its file
 * under commands/ and its line here.
 */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  dev: {
    brief: 'Run an authority for a laptop or a test suite',
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  serve: {
    brief: 'Run the authority in production',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  login: {
    brief: 'Sign in as a person',
    load: async () => (await import('./commands/login.ts')).login,
  },
  logout: {
    brief: 'Sign out, and end the token',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  whoami: {
    brief: 'Say who you are to the authority, and what you may do',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  connect: {
    brief: 'Let a machine call an API: identity, credential and access in one step',
    load: async () => (await import('./commands/connect.ts')).connect,
  },
  token: {
    brief: 'Get, inspect, verify and trace tokens',
    load: async () => (await import('./commands/token.ts')).token,
  },
  // As its address in the admin API says it.
  tokens: {
    brief: 'The same as token',
    hidden: true,
    load: async () => (await import('./commands/token.ts')).token,
  },
  explain: {
    brief: 'Say what happened in a request, why, and how to fix it',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  identities: {
    brief: 'The machines',
    load: async () => (await import('./commands/identities.ts')).identities,
  },
  decommissioning: {
    brief: 'How machines end: announced times, and who still calls',
    load: async () => (await import('./commands/decommissioning.ts')).decommissioning,
  },
  credentials: {
    brief: 'How they prove themselves',
    load: async () => (await import('./commands/credentials.ts')).credentials,
  },
  certificates: {
    brief: 'Certificates of the built-in authority',
    load: async () => (await import('./commands/certificates.ts')).certificates,
  },
  // As it is said of one.
  cert: {
    brief: 'The same as certificates',
    hidden: true,
    load: async () => (await import('./commands/certificates.ts')).certificates,
  },
  'certificate-authorities': {
    brief: 'Who issues certificates: the root and those under it',
    load: async () => (await import('./commands/certificate-authorities.ts')).certificateAuthorities,
  },
  devices: {
    brief: 'Devices: many at once, and how each gets its certificate',
    load: async () => (await import('./commands/devices.ts')).devices,
  },
  'resource-servers': {
    brief: 'The APIs and their scopes',
    load: async () => (await import('./commands/resource-servers.ts')).resourceServers,
  },
  'trusted-issuers': {
    brief: 'Whose tokens workloads may come with',
    load: async () => (await import('./commands/trusted-issuers.ts')).trustedIssuers,
  },
  access: {
    brief: 'Who may do what at which API',
    load: async () => (await import('./commands/access.ts')).access,
  },
  approvals: {
    brief: 'What waits for the approval of people',
    load: async () => (await import('./commands/approvals.ts')).approvals,
  },
  'approval-rules': {
    brief: 'What needs the approval of people',
    load: async () => (await import('./commands/approval-rules.ts')).approvalRules,
  },
  policies: {
    brief: 'What is allowed of machines, and what becomes of what is not',
    load: async () => (await import('./commands/policies.ts')).policies,
  },
  'policy-exceptions': {
    brief: 'Whom a policy lets be for a time, and who answers for it',
    load: async () => (await import('./commands/policy-exceptions.ts')).policyExceptions,
  },
  reviews: {
    brief: 'Campaigns in which people decide on access',
    load: async () => (await import('./commands/reviews.ts')).reviews,
  },
  people: {
    brief: 'Who owners are, and who has left',
    load: async () => (await import('./commands/people.ts')).people,
  },
  teams: {
    brief: 'Who answers for machines together',
    load: async () => (await import('./commands/teams.ts')).teams,
  },
  'ownership-offers': {
    brief: 'What is offered to whom, until somebody answers for it',
    load: async () => (await import('./commands/ownership-offers.ts')).ownershipOffers,
  },
  findings: {
    brief: 'What is wrong with machines, why, and the command that makes it right',
    load: async () => (await import('./commands/findings.ts')).findings,
  },
  'trust-domains': {
    brief: 'Other SPIFFE trust domains that are believed',
    load: async () => (await import('./commands/trust-domains.ts')).trustDomains,
  },
  workloads: {
    brief: 'Which processes an agent gives SVIDs to',
    load: async () => (await import('./commands/workloads.ts')).workloads,
  },
  webhooks: {
    brief: 'Where notices of changes go',
    load: async () => (await import('./commands/webhooks.ts')).webhooks,
  },
  proposals: {
    brief: 'What machines could do without, by what they use',
    load: async () => (await import('./commands/proposals.ts')).proposals,
  },
  risk: {
    brief: 'Which machines are the riskiest',
    load: async () => (await import('./commands/risk.ts')).risk,
  },
  cutoffs: {
    brief: 'Orders to stop trusting something at once',
    load: async () => (await import('./commands/cutoffs.ts')).cutoffs,
  },
  // Said of one order as often as of all of them.
  cutoff: {
    brief: 'The same as cutoffs',
    hidden: true,
    load: async () => (await import('./commands/cutoffs.ts')).cutoffs,
  },
  keys: {
    brief: 'The keys that sign tokens',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  audit: {
    brief: 'What happened',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  plan: {
    brief: 'Show what `apply` would change',
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  apply: {
    brief: 'Bring declared objects about',
    load: async () => (await import('./commands/apply.ts')).apply,
  },
  export: {
    brief: 'Write all objects as documents that `apply` takes',
    load: async () => (await import('./commands/export.ts')).exportObjects,
  },
  scan: {
    brief: 'Find secrets in files, in the environment and in git history',
    load: async () => (await import('./commands/scan.ts')).scan,
  },
  doctor: {
    brief: 'Check that everything between here and the authority works',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  admin: {
    brief: 'On the host of the authority: get back in',
    load: async () => (await import('./commands/admin.ts')).admin,
  },
  completion: {
    brief: 'Print the completion script of a shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  version: {
    brief: 'Print the version',
    load: async () => (await import('./commands/version.ts')).version,
  },
  __complete: {
    brief: 'Propose how a command line may go on',
    hidden: true,
    load: async () => (await import('./commands/complete.ts')).complete,
  },
};
