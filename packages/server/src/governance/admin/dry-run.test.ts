import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createCertificationRequest, generateSecret } from '@countersign/protocol';
import { type OperationId, operationIds, operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Ask,
  type Authority,
  identityBody,
  openAuthority,
  resourceServerBody,
} from '../../../test/authority.ts';

const FRAUD = 'https://fraud.test';
const OTHER = 'https://other.test';
const CI = 'https://ci.test';
const DAY = 86_400_000;
const CSR = createCertificationRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
const DEVICE = {
  client_id: 'sensor-1',
  environment: 'test',
  purpose: 'x',
  owner_person: 'lin',
  expires_at: '2027-06-01T00:00:00Z',
};
const LEAKED = generateSecret('csk', randomBytes).secret;

let authority: Authority;
let ids: Record<'access' | 'credential' | 'webhook' | 'workload' | 'domain', string>;
beforeEach(async () => {
  authority = await openAuthority();
  const make = async (path: string, body: unknown): Promise<string> =>
    (await authority.call('POST', path, { body })).body.id;
  for (const [client_id, state] of [
    ['active', 'active'],
    ['draft', 'draft'],
  ]) {
    await make('/v1/identities', identityBody('x', { client_id, state }));
  }
  for (const [client_id, verb] of [
    ['suspended', 'suspend'],
    ['leaving', 'decommission'],
  ]) {
    await make('/v1/identities', identityBody('x', { client_id }));
    await make(`/v1/identities/${client_id}/${verb}`, { reason: 'x' });
  }
  await make('/v1/resource-servers', resourceServerBody(FRAUD, ['read', 'write']));
  await make('/v1/resource-servers', resourceServerBody(OTHER, ['read']));
  await make('/v1/trusted-issuers', { issuer: CI, name: 'CI' });
  await make('/v1/people', { handle: 'lin', name: 'Lin' });
  await make('/v1/people', { handle: 'kim', name: 'Kim' });
  await make('/v1/teams', { name: 'crew', lead: 'kim' });
  const workload = { agent: 'active', identity: 'suspended', selectors: ['unix:uid:1'] };
  ids = {
    workload: await make('/v1/workloads', { ...workload, expires_at: IN_A_WEEK }),
    domain: await make('/v1/trust-domains', { trust_domain: 'other.test', bundle: { keys: [] } }),
    access: await make('/v1/access', accessBody('active', FRAUD, ['read'])),
    credential: await make('/v1/identities/active/credentials', { type: 'client_secret' }),
    webhook: await make('/v1/webhooks', { name: 'siem', url: 'https://siem.example/', events: ['key.*'] }),
  };
  authority.clock.advance(2 * DAY);
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const ci = encodeURIComponent(CI);
const other = encodeURIComponent(OTHER);
const IN_A_WEEK = '2026-11-28T12:00:00Z';
const any = { headers: { 'If-Match': '*' } };

/** A request for each write, and the op it would make of which kind. */
const WRITES: Partial<Record<OperationId, [string, Ask, string]>> = {
  'identities.create': [
    '/v1/identities',
    { body: identityBody('n', { client_id: 'new' }) },
    'create Identity new',
  ],
  'identities.patch': ['/v1/identities/active', { ...any, body: { name: 'y' } }, 'update Identity active'],
  'identities.submit': ['/v1/identities/draft/submit', {}, 'update Identity draft'],
  'identities.activate': ['/v1/identities/draft/activate', {}, 'update Identity draft'],
  'identities.suspend': [
    '/v1/identities/active/suspend',
    { body: { reason: 'x' } },
    'update Identity active',
  ],
  'identities.resume': [
    '/v1/identities/suspended/resume',
    { body: { reason: 'x' } },
    'update Identity suspended',
  ],
  'identities.decommission': [
    '/v1/identities/active/decommission',
    { body: { reason: 'x' } },
    'delete Identity active',
  ],
  'identities.restore': [
    '/v1/identities/leaving/restore',
    { body: { reason: 'x' } },
    'update Identity leaving',
  ],
  'identities.keep': ['/v1/identities/leaving/keep', { body: { reason: 'x' } }, 'update Identity leaving'],
  'decommissioning.extend': [
    '/v1/identities/leaving/decommissioning/extend',
    { body: { reason: 'x', days: 2 } },
    'update Identity leaving',
  ],
  'decommissioning.skip': [
    '/v1/identities/leaving/decommissioning/skip',
    { body: { reason: 'x' } },
    'Identity leaving',
  ],
  'credentials.create': [
    '/v1/identities/active/credentials',
    { body: { type: 'client_secret', label: 'next' } },
    'create Credential active/next',
  ],
  'credentials.rotate': [
    '/v1/credentials/CREDENTIAL/rotate',
    { body: { overlap: '7d' } },
    'create Credential active/client_secret',
  ],
  'resource-servers.create': [
    '/v1/resource-servers',
    { body: resourceServerBody('https://new.test', ['a']) },
    'create ResourceServer https://new.test',
  ],
  'resource-servers.patch': [
    `/v1/resource-servers/${other}`,
    { ...any, body: { name: 'y' } },
    `update ResourceServer ${OTHER}`,
  ],
  'resource-servers.delete': [`/v1/resource-servers/${other}`, any, `delete ResourceServer ${OTHER}`],
  'trusted-issuers.create': [
    '/v1/trusted-issuers',
    { body: { issuer: 'https://new.test', name: 'n' } },
    'create TrustedIssuer https://new.test',
  ],
  'trusted-issuers.patch': [
    `/v1/trusted-issuers/${ci}`,
    { ...any, body: { state: 'suspended' } },
    `update TrustedIssuer ${CI}`,
  ],
  'trusted-issuers.delete': [`/v1/trusted-issuers/${ci}`, any, `delete TrustedIssuer ${CI}`],
  'trusted-issuers.test': ['/v1/trusted-issuers/test', { body: { assertion: 'a.b.c' } }, ''],
  'access.create': [
    '/v1/access',
    { body: accessBody('active', OTHER, ['read']) },
    `create Access active → ${OTHER}`,
  ],
  'access.patch': [
    '/v1/access/ACCESS',
    { ...any, body: { scopes: ['write'] } },
    `update Access active → ${FRAUD}`,
  ],
  'access.revoke': ['/v1/access/ACCESS', any, `delete Access active → ${FRAUD}`],
  'reviews.create': [
    '/v1/reviews',
    { body: { name: 'spring', reviewers: ['backup'], due_at: '2026-12-20T00:00:00Z' } },
    'create Review spring',
  ],
  'claim-codes.create': ['/v1/identities/active/claim-codes', { body: {} }, 'create ClaimCode active'],
  'devices.import': ['/v1/devices/import', { body: { rows: [DEVICE] } }, 'create Identity sensor-1'],
  'certificates.issue': [
    '/v1/identities/active/certificates',
    { body: { csr: CSR } },
    'create Credential active/tls_client_auth spiffe://authority.test/service/active',
  ],
  'certificate-authorities.request': [
    '/v1/certificate-authorities',
    { body: {} },
    'create CertificateAuthority',
  ],
  'keys.rotate': ['/v1/keys/rotate', {}, 'update SigningKey'],
  'cutoffs.create': [
    '/v1/cutoffs',
    { body: { kind: 'identity', id: 'active', reason: 'x' } },
    'update Identity active',
  ],
  'people.create': ['/v1/people', { body: { handle: 'moe', name: 'Moe' } }, 'create Person moe'],
  'people.patch': ['/v1/people/lin', { ...any, body: { status: 'left' } }, 'update Person lin'],
  'people.delete': ['/v1/people/lin', any, 'delete Person lin'],
  'people.hand-over': ['/v1/people/kim/hand-over', { body: { to: 'lin' } }, 'update Team crew'],
  'people.import': ['/v1/people/import', { body: { rows: [{ handle: 'new' }] } }, 'create Person new'],
  'teams.create': ['/v1/teams', { body: { name: 'new' } }, 'create Team new'],
  'teams.patch': ['/v1/teams/crew', { ...any, body: { lead: 'lin' } }, 'update Team crew'],
  'teams.delete': ['/v1/teams/crew', any, 'delete Team crew'],
  'ownership-offers.create': [
    '/v1/identities/active/offers',
    { body: { to: 'lin' } },
    'update Identity active',
  ],
  'policies.create': [
    '/v1/policies',
    { body: { name: 'backups', rule: 'owner_required' } },
    'create Policy backups',
  ],
  'policies.what-if': ['/v1/policies/what-if', { body: { policy: { rule: 'owner_required' } } }, ''],
  'policies.test': ['/v1/policies/test', { body: { rule: 'owner_required', tests: [] } }, ''],
  'webhooks.create': [
    '/v1/webhooks',
    { body: { name: 'new', url: 'https://new.example/', events: ['*'] } },
    'create Webhook new',
  ],
  'webhooks.patch': ['/v1/webhooks/WEBHOOK', { ...any, body: { events: ['*'] } }, 'update Webhook siem'],
  'webhooks.delete': ['/v1/webhooks/WEBHOOK', any, 'delete Webhook siem'],
  'webhooks.rotate': ['/v1/webhooks/WEBHOOK/rotate', { body: {} }, 'update Webhook siem'],
  'webhooks.test': ['/v1/webhooks/WEBHOOK/test', {}, ''],
  'workloads.create': [
    '/v1/workloads',
    { body: { agent: 'active', identity: 'active', selectors: ['unix:uid:2'], expires_at: IN_A_WEEK } },
    'create Workload active: spiffe://authority.test/service/active',
  ],
  'workloads.patch': ['/v1/workloads/WORKLOAD', { ...any, body: { hint: 'b' } }, 'update Workload active'],
  'workloads.delete': ['/v1/workloads/WORKLOAD', any, 'delete Workload active'],
  'trust-domains.create': [
    '/v1/trust-domains',
    { body: { trust_domain: 'new.test', bundle: { keys: [] } } },
    'create TrustDomain new.test',
  ],
  'trust-domains.patch': [
    '/v1/trust-domains/DOMAIN',
    { ...any, body: { name: 'b' } },
    'update TrustDomain other.test',
  ],
  'trust-domains.delete': ['/v1/trust-domains/DOMAIN', any, 'delete TrustDomain other.test'],
  'leaks.report': ['/v1/leaks', { body: { secret: LEAKED, where: 'x' } }, ''],
  'apply.run': ['/v1/apply', { body: { documents: [] } }, ''],
};

/** Those that need people, and those whose object a test of its own makes. */
const ELSEWHERE: readonly OperationId[] = [
  'certificates.revoke',
  'certificate-authorities.certify',
  'certificate-authorities.discard',
  'claim-codes.revoke',
  'identities.approve',
  'identities.reject',
  'credentials.patch',
  'credentials.revoke',
  'cutoffs.drill',
  'cutoffs.lift',
  'findings.accept',
  'findings.reopen',
  'access.approve',
  'access.reject',
  'access.renew',
  'access.restore',
  'reviews.start',
  'reviews.decide',
  'reviews.close',
  'approvals.approve',
  'approvals.reject',
  'approval-rules.create',
  'approval-rules.delete',
  'approval-rules.patch',
  'policies.delete',
  'policies.patch',
  'policy-exceptions.create',
  'policy-exceptions.revoke',
  'me.sign-out',
  'ownership-offers.accept',
  'proposals.apply',
  'proposals.dismiss',
  'proposals.rollback',
  'ownership-offers.decline',
  'ownership-offers.withdraw',
  'usage.report',
  'webhooks.redeliver',
  'svids.jwt',
  'svids.x509',
];

test('every write has its dry run here', () => {
  const writes = operationIds.filter((id) => operations[id].write);
  expect([...Object.keys(WRITES), ...ELSEWHERE].toSorted()).toEqual(writes.toSorted());
});

test.each(Object.entries(WRITES))(
  '%s: says what would change, and changes nothing',
  async (id, [path, ask, said]) => {
    const before = await everything();
    const target = path
      .replace('ACCESS', ids.access)
      .replace('CREDENTIAL', ids.credential)
      .replace('WEBHOOK', ids.webhook)
      .replace('WORKLOAD', ids.workload)
      .replace('DOMAIN', ids.domain);
    const answer = await authority.call(operations[id as OperationId].method, `${target}?dry_run=true`, ask);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.dry_run).toBe(true);
    const first = answer.body.changes[0];
    expect(first === undefined ? '' : `${first.op} ${first.kind} ${first.name}`).toContain(said);
    if (first?.op === 'update') expect(first.fields.length).toBeGreaterThan(0);
    expect(await everything()).toEqual(before);
  },
);

test('the difference names the members that differ, before and after', async () => {
  const answer = await authority.call('PATCH', `/v1/credentials/${ids.credential}?dry_run=true`, {
    ...any,
    body: { state: 'suspended', label: 'off' },
  });
  expect(answer.body.changes).toMatchObject([
    { op: 'update', fields: ['label', 'state'], before: { state: 'active' }, after: { state: 'suspended' } },
  ]);
  const gone = await authority.call('DELETE', `/v1/credentials/${ids.credential}?dry_run=true`, any);
  expect(gone.body.changes).toMatchObject([{ op: 'delete', fields: ['state'] }]);
});

test('a dry run of a new secret shows none, and nothing that was made up for it', async () => {
  const answer = await authority.call('POST', '/v1/identities/active/credentials?dry_run=true', {
    body: { type: 'client_secret', label: 'next' },
  });
  expect(answer.text).not.toMatch(/csk_|crd_|"secret"/);
});

test('a dry run finds what the real one would refuse', async () => {
  const twice = { body: accessBody('active', FRAUD, ['read']) };
  expect((await authority.call('POST', '/v1/access?dry_run=true', twice)).status).toBe(409);
  expect((await authority.call('POST', '/v1/identities?dry_run=true', { body: {} })).status).toBe(400);
  const stale = { body: { name: 'y' }, headers: { 'If-Match': '"9"' } };
  expect((await authority.call('PATCH', '/v1/identities/active?dry_run=true', stale)).status).toBe(412);
});

async function everything(): Promise<unknown> {
  const { storage } = authority;
  const page = { limit: 1000 };
  return [
    await storage.identities.list({}, page),
    await storage.credentials.list({}, page),
    await storage.resourceServers.list({}, page),
    await storage.access.list({}, page),
    await storage.signingKeys.live(),
    await storage.people.list({}, page),
    await storage.teams.list({}, page),
    await storage.ownershipOffers.list({}, page),
    await storage.policies.list(page),
    await storage.cutoffs.after(0, 1000),
    await storage.webhooks.list(page),
    await storage.workloads.list({}, page),
    await storage.trustDomains.list(page),
    await storage.outbox.pending(authority.clock.now(), 100),
    authority.log.events.length,
  ];
}
