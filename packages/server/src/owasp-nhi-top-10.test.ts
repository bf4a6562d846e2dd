import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answered, openWholeAuthority, type WholeAuthority } from '../test/whole-authority.ts';

/*
 * OWASP Non-Human Identities Top 10 (2025): for each risk, what prevents it and what detects it, from outside by the endpoints of a
 * whole authority with its time in hand. NHI1 has a longer test of its own: improper-offboarding.test.ts.
 */

const DAY = 86_400_000;
let authority: WholeAuthority;
let begun: number;
beforeAll(async () => {
  authority = await openWholeAuthority();
  begun = authority.now();
});
afterAll(() => authority.close());

const days = (count: number): string => new Date(authority.now() + count * DAY).toISOString();

interface Made {
  readonly id: string;
  readonly secret: string;
  readonly credential: string;
}

async function machine(clientId: string, more: Record<string, unknown> = {}): Promise<Made> {
  const { body } = await authority.admin('POST', '/v1/identities', {
    name: clientId,
    client_id: clientId,
    kind: 'service',
    environment: 'test',
    purpose: `is there for ${clientId}`,
    owner: { person: 'ada' },
    cadence: 'daily',
    expires_at: days(300),
    ...more,
  });
  const made = await authority.admin('POST', `/v1/identities/${clientId}/credentials`, {
    type: 'client_secret',
  });
  return { id: body.id, secret: made.body.secret, credential: made.body.id };
}

async function api(
  name: string,
  scopes: readonly string[],
  more: Record<string, unknown> = {},
): Promise<string> {
  const identifier = `https://${name}.example`;
  const defined = scopes.map((each) => ({ name: each, description: each, sensitivity: 1 }));
  await authority.admin('POST', '/v1/resource-servers', { identifier, name, scopes: defined, ...more });
  return identifier;
}

async function access(
  identity: string,
  resource: string,
  scopes: readonly string[],
  more: Record<string, unknown> = {},
): Promise<string> {
  const body = {
    identity,
    resource_server: resource,
    scopes,
    justification: 'is needed',
    expires_at: days(200),
    ...more,
  };
  return (await authority.admin('POST', '/v1/access', body)).body.id;
}

interface Finding {
  readonly kind: string;
  readonly severity: string;
  readonly reason: string;
  readonly fix: string;
}

/** Open findings about an identity, by kind. */
async function found(identity: string): Promise<ReadonlyMap<string, Finding>> {
  const { body } = await authority.admin('GET', `/v1/findings?identity=${identity}&state=open&limit=200`);
  return new Map(body.items.map((each: Finding) => [each.kind, each]));
}

/** Of a round that may be under way by itself. */
async function seen(identity: string, kind: string): Promise<Finding> {
  await expect.poll(async () => (await found(identity)).has(kind), { timeout: 20_000 }).toBe(true);
  return (await found(identity)).get(kind) as Finding;
}

const errorOf = ({ status, body }: Answered): [number, string] => [status, body.error];

function publicJwk(): object {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...publicKey.export({ format: 'jwk' }), alg: 'ES256' };
}

test('NHI1 improper offboarding: what is ended holds nothing, its tokens are refused, and its name never comes back', async () => {
  const gone = await machine('gone');
  const resource = await api('offboarding', ['read']);
  await access('gone', resource, ['read']);
  const live = (await authority.token('gone', gone.secret, { resource })).body.access_token;
  expect(await authority.isTaken(live)).toBe(true);
  await authority.admin('POST', '/v1/identities/gone/decommission', {
    reason: 'replaced',
    now: true,
    force: true,
  });
  expect(errorOf(await authority.token('gone', gone.secret, { resource }))).toEqual([401, 'invalid_client']);
  expect(await authority.isTaken(live)).toBe(false);
  const again = await authority.tryAdmin('POST', '/v1/identities', {
    name: 'x',
    client_id: 'gone',
    kind: 'job',
    environment: 'test',
    purpose: 'x',
    owner: { person: 'ada' },
    expires_at: days(9),
  });
  expect(again.body.code).toBe('already_exists');
});

test('NHI2 secret leakage: shown once and nowhere else, found by scanners, and worth nothing once it is told of', async () => {
  const leaky = await machine('leaky');
  const resource = await api('leakage', ['read']);
  await access('leaky', resource, ['read']);
  const { body, text } = await authority.token('leaky', leaky.secret, { resource });
  expect(leaky.secret).toMatch(/^csk_[A-Za-z0-9_]{40,}$/);
  const hidden = leaky.secret.slice(-30);
  expect(text).not.toContain(hidden);
  for (const path of [
    `/v1/credentials/${leaky.credential}`,
    '/v1/identities/leaky/risk',
    '/audit/events?limit=200',
    `/v1/findings?identity=leaky`,
  ]) {
    expect((await authority.admin('GET', path)).text, path).not.toContain(hidden);
  }
  await authority.admin('POST', '/v1/cutoffs', {
    kind: 'credential',
    id: leaky.credential,
    reason: 'in a public log',
  });
  expect(errorOf(await authority.token('leaky', leaky.secret, { resource }))).toEqual([
    401,
    'invalid_client',
  ]);
  expect(await authority.isTaken(body.access_token)).toBe(false);
  // Where it matters a stolen token is worth nothing without its key.
  const bound = await api('bound', ['read'], { sender_constraint: 'dpop' });
  const holder = await machine('holder');
  await access('holder', bound, ['read']);
  expect((await authority.token('holder', holder.secret, { resource: bound })).status).toBe(400);
});

test('NHI3 vulnerable third party: people decide, it comes from its own network only, and ends with its contract', async () => {
  const vendor = await machine('vendor', { kind: 'third_party', expires_at: days(5) });
  const resource = await api('partners', ['read']);
  const more = { conditions: { networks: ['203.0.113.0/24'] }, expires_at: days(300) };
  const held = await access('vendor', resource, ['read'], more);
  // An access never outlives the identity that has it.
  const ends = (await authority.admin('GET', `/v1/access/${held}`)).body.expires_at;
  expect(Date.parse(ends)).toBeLessThanOrEqual(Date.parse(days(5)));
  const from = (source: string): Promise<Answered> =>
    authority.token('vendor', vendor.secret, { resource, source });
  expect((await from('203.0.113.7')).status).toBe(200);
  expect((await from('198.51.100.7')).status).toBeGreaterThanOrEqual(400);
  await authority.admin('POST', '/v1/approval-rules', {
    name: 'vendors',
    subject: 'access',
    match: { third_party: true },
    steps: [{ quorum: 1, roles: ['approver'] }],
  });
  const other = await api('partners-more', ['read']);
  const asked = await access('vendor', other, ['read'], { expires_at: days(4) });
  expect((await authority.admin('GET', `/v1/access/${asked}`)).body.state).toBe('requested');
  expect(
    (await authority.tryAdmin('POST', `/v1/access/${asked}/approve`, { content_hash: '0'.repeat(64) })).body
      .code,
  ).toBe('needs_people');
  await authority.travel(6);
  expect(errorOf(await from('203.0.113.7'))).toEqual([401, 'invalid_client']);
});

test('NHI4 insecure authentication: weak methods are refused in production, and found where they are not', async () => {
  await machine('weak', { environment: 'prod' });
  const resource = await api('methods', ['read']);
  await access('weak', resource, ['read']);
  const key = await authority.tryAdmin('POST', '/v1/identities/weak/credentials', { type: 'api_key' });
  expect([key.status, key.body.code]).toEqual([403, 'refused_by_policy']);
  for (const jwk of [
    { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' },
    { ...publicJwk(), alg: 'none' },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
  ]) {
    const answer = await authority.tryAdmin('POST', '/v1/identities/weak/credentials', {
      type: 'private_key_jwt',
      jwk,
    });
    expect(answer.status, JSON.stringify(jwk)).toBe(400);
  }
  const unsigned = [{ alg: 'none' }, { iss: 'weak', sub: 'weak', aud: authority.issuer, exp: 4e9, jti: 'x' }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${unsigned}.`,
  });
  const headers = ['Content-Type', 'application/x-www-form-urlencoded'];
  const answer = await authority.send('POST', '/oauth/token', { headers, body: form.toString() });
  expect(answer.body.error).toMatch(/^invalid_/);
  await authority.travel(1);
  const finding = await seen('weak', 'weak_method');
  expect(finding).toMatchObject({ severity: 'medium' });
  expect(finding.fix).toContain('private_key_jwt');
});

test('NHI5 over-privileged: more than is held is never given, what is not used is proposed, and comes back when it is missed', {
  timeout: 60_000,
}, async () => {
  const wide = await machine('wide');
  const resource = await api('scopes', ['a', 'b', 'c', 'usage:write']);
  const held = await access('wide', resource, ['a', 'b', 'c'].slice(0, 3));
  const only = await authority.token('wide', wide.secret, { resource, scope: 'a usage:write' });
  expect(only.body.scope).toBe('a');
  expect(errorOf(await authority.token('wide', wide.secret, { resource, scope: 'usage:write' }))).toEqual([
    400,
    'invalid_scope',
  ]);
  // The API tells what of it is used.
  const reporter = await machine('scopes-api');
  await access('scopes-api', resource, ['usage:write']);
  await access('scopes-api', `${authority.issuer}/v1`, ['usage:write']);
  let seq = 0;
  let from = new Date(authority.now()).toISOString();
  const report = async (scope: string, ok: number, denied: number): Promise<void> => {
    const { body } = await authority.token('scopes-api', reporter.secret, {
      resource: `${authority.issuer}/v1`,
    });
    const to = new Date(authority.now()).toISOString();
    const rows = [{ credential: wide.credential, access: held, scope, ok, denied }];
    const told = { resource_server: resource, instance: 'one', boot: 'first', seq: ++seq, from, to, rows };
    from = to;
    const headers = ['Authorization', `Bearer ${body.access_token}`, 'Content-Type', 'application/json'];
    const answer = await authority.send('POST', '/v1/usage', { headers, body: JSON.stringify(told) });
    expect(answer.status, answer.text).toBe(200);
  };
  await authority.travel(32, () => report('a', 3, 0));
  await report('a', 3, 0);
  await authority.travel(1, () => report('a', 3, 0));
  const { items } = (await authority.admin('GET', '/v1/proposals?identity=wide&state=open')).body;
  expect(items).toMatchObject([{ kind: 'narrow', change: { keep: ['a'], take: ['b', 'c'] } }]);
  expect((await seen('wide', 'over_privileged')).fix).toBe(items[0].fix);
  await report('a', 1, 0);
  await authority.admin('POST', `/v1/proposals/${items[0].id}/apply`, {});
  expect(errorOf(await authority.token('wide', wide.secret, { resource, scope: 'b' }))).toEqual([
    400,
    'invalid_scope',
  ]);
  await report('b', 0, 5);
  await authority.travel(1, () => report('a', 1, 0));
  const missed = (await authority.admin('GET', `/v1/proposals/${items[0].id}`)).body;
  expect(missed.refusals).toBeGreaterThanOrEqual(6);
  await authority.admin('POST', `/v1/proposals/${items[0].id}/rollback`, { reason: 'b is needed after all' });
  expect((await authority.token('wide', wide.secret, { resource, scope: 'b' })).body.scope).toBe('b');
});

test('NHI6 insecure cloud deployment: a rule names one subject for ever, and no issuer inside is ever asked', async () => {
  await machine('pipeline');
  const issuer = 'https://token.actions.githubusercontent.com';
  const made = await authority.tryAdmin('POST', '/v1/trusted-issuers', {
    issuer,
    name: 'CI',
    kind: 'github_actions',
  });
  expect(made.status, made.text).toBe(201);
  const rule = (conditions: Record<string, string>): Promise<Answered> =>
    authority.tryAdmin('POST', '/v1/identities/pipeline/credentials', {
      type: 'federated',
      trusted_issuer: issuer,
      conditions,
    });
  expect((await rule({ repository: 'org/app' })).body.code).toBe('refused_by_policy');
  expect(
    (await rule({ repository_id: '7', repository_owner_id: '8', sub: 'repo:org/app:ref:refs/heads/main' }))
      .status,
  ).toBe(201);
  for (const inside of ['https://169.254.169.254', 'http://ci.example', 'https://10.0.0.7']) {
    const answer = await authority.tryAdmin('POST', '/v1/trusted-issuers', {
      issuer: inside,
      name: 'inside',
    });
    expect(answer.status, inside).toBe(400);
  }
});

test('NHI8 environment isolation: one key in two environments and access across the border are found', async () => {
  const jwk = publicJwk();
  for (const [clientId, environment] of [
    ['twin-prod', 'prod'],
    ['twin-dev', 'dev'],
  ] as const) {
    await machine(clientId, { environment });
    await authority.admin('POST', `/v1/identities/${clientId}/credentials`, { type: 'private_key_jwt', jwk });
  }
  const resource = await api('border', ['read', 'tokens:introspect']);
  await machine('border-api', { environment: 'prod' });
  await access('border-api', resource, ['tokens:introspect']);
  await access('twin-dev', resource, ['read']);
  await authority.travel(1);
  expect(await seen('twin-prod', 'shared_key')).toMatchObject({ severity: 'high' });
  expect(await seen('twin-dev', 'shared_key')).toMatchObject({ severity: 'low' });
  expect(await seen('twin-dev', 'cross_environment_use')).toMatchObject({ severity: 'high' });
  expect((await found('twin-prod')).has('cross_environment_use')).toBe(false);
});

test('NHI9 reuse: one credential in two workloads is found, copies of one are not', async () => {
  const resource = await api('reuse', ['read']);
  for (const clientId of ['copies', 'reused']) {
    const { secret } = await machine(clientId);
    await access(clientId, resource, ['read']);
    const calls = Array.from({ length: 30 }, (_, n) => ({
      source: `10.7.${n}.9`,
      userAgent: 'countersign-client/1',
    }));
    const other = { source: '172.20.0.5', userAgent: 'python-requests/2.31' };
    for (const call of clientId === 'reused' ? [...calls, other] : calls) {
      expect((await authority.token(clientId, secret, { resource, ...call })).status).toBe(200);
    }
  }
  await authority.travel(1);
  const { reason } = await seen('reused', 'reused_credential');
  expect(reason).toContain('python');
  expect(reason).toContain('countersign');
  expect((await found('copies')).has('reused_credential')).toBe(false);
});

test('NHI10 human use: a machine decides nothing that is for people, and a person with its secret is seen', async () => {
  const resource = await api('human', ['read']);
  const { secret } = await machine('borrowed', { environment: 'prod' });
  await access('borrowed', resource, ['read']);
  await authority.token('borrowed', secret, {
    resource,
    source: '10.8.0.1',
    userAgent: 'countersign-client/1',
  });
  await authority.token('borrowed', secret, { resource, source: '192.0.2.99', userAgent: 'curl/8.5.0' });
  await authority.travel(1);
  expect(await seen('borrowed', 'reused_credential')).toMatchObject({ severity: 'high' });
  // People sign in themselves, and are named: no machine can do in their place what is theirs.
  const draft = await authority.admin('POST', '/v1/identities', {
    name: 'x',
    client_id: 'drafted',
    kind: 'job',
    environment: 'test',
    purpose: 'x',
    owner: { person: 'ada' },
    expires_at: days(9),
    state: 'draft',
  });
  await authority.admin('POST', `/v1/identities/${draft.body.id}/submit`, {});
  const approve = await authority.tryAdmin('POST', `/v1/identities/${draft.body.id}/approve`, {
    content_hash: '0'.repeat(64),
  });
  expect(approve.body.code).toBe('needs_people');
});

test('NHI7 long-lived secrets: nothing is without an end, no secret outlasts its maximum, and age is found in time', {
  timeout: 60_000,
}, async () => {
  const body = {
    name: 'x',
    client_id: 'endless',
    kind: 'job',
    environment: 'test',
    purpose: 'x',
    owner: { person: 'ada' },
  };
  expect((await authority.tryAdmin('POST', '/v1/identities', body)).status).toBe(400);
  expect(
    (await authority.tryAdmin('POST', '/v1/identities', { ...body, expires_at: days(4000) })).status,
  ).toBe(400);
  const { secret, credential } = await machine('aging');
  const resource = await api('aging', ['read']);
  await access('aging', resource, ['read']);
  const ends = Date.parse((await authority.admin('GET', `/v1/credentials/${credential}`)).body.expires_at);
  expect(ends - authority.now()).toBeLessThanOrEqual(90 * DAY);
  const longer = await authority.admin('PATCH', `/v1/credentials/${credential}`, { expires_at: days(280) });
  expect(Date.parse(longer.body.expires_at)).toBe(ends);
  // The admin's own secret has an end as well: what is asked of it is asked before.
  const left = Math.floor((begun + 88 * DAY - authority.now()) / DAY);
  await authority.leap(left);
  expect((await authority.token('aging', secret, { resource })).status).toBe(200);
  expect((await seen('admin', 'old_credential')).severity).toBe('high');
  await authority.leap(90 - left + 1);
  expect(errorOf(await authority.token('aging', secret, { resource }))).toEqual([401, 'invalid_client']);
});
