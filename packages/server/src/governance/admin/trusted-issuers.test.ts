import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Authority, identityBody, ISSUER, openAuthority, operator } from '../../../test/authority.ts';

const CI = 'https://ci.test';
const head = { apiVersion: 'countersign/v1' } as const;
const any = { headers: { 'If-Match': '*' } };

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const RULE = {
  ...head,
  kind: 'Credential',
  metadata: { name: 'main' },
  spec: {
    identity: 'deploy',
    type: 'federated',
    trusted_issuer: CI,
    conditions: { repository_id: '1', repository_owner_id: '2', ref: 'refs/heads/main' },
    expires_in: '90d',
  },
};
const IDENTITY = {
  ...head,
  kind: 'Identity',
  metadata: { name: 'deploy' },
  spec: {
    kind: 'service',
    environment: 'prod',
    purpose: 'deploys',
    owner: { person: 'ada', team: 'pay' },
    expires_in: '180d',
  },
};
const TRUSTED = {
  ...head,
  kind: 'TrustedIssuer',
  metadata: { name: 'GitHub' },
  spec: { issuer: CI, kind: 'github_actions' },
};
const story = [RULE, IDENTITY, TRUSTED];

const apply = (documents: readonly object[], more: object = {}) =>
  authority.call('POST', '/v1/apply', { body: { documents, ...more } });
const changesOf = (answer: { readonly body: { readonly changes: { op: string; kind: string }[] } }) =>
  answer.body.changes.map(({ op, kind }) => `${op} ${kind}`);

describe('declared', () => {
  test('an issuer and a rule, in any order; the second time nothing changes', async () => {
    const first = await apply(story);
    expect(first.status, first.text).toBe(200);
    expect(changesOf(first)).toEqual(['create TrustedIssuer', 'create Identity', 'create Credential']);
    expect(changesOf(await apply(story))).toEqual([]);
  });

  test('what was exported and is applied changes nothing', async () => {
    await apply(story);
    const { body } = await authority.call('GET', '/v1/export');
    const kinds = (body.documents as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(['TrustedIssuer', 'Identity', 'Credential']);
    const again = await apply(body.documents);
    expect(again.status, again.text).toBe(200);
    expect(changesOf(again)).toEqual([]);
  });

  test('another value is another credential in the place of the one before', async () => {
    await apply(story);
    const moved = { ...RULE.spec, conditions: { ...RULE.spec.conditions, ref: 'refs/heads/next' } };
    const answer = await apply([{ ...RULE, spec: moved }]);
    expect(changesOf(answer).toSorted()).toEqual(['create Credential', 'delete Credential']);
  });

  test('pruned are rules and then their issuer', async () => {
    await apply(story);
    const other = {
      ...head,
      kind: 'TrustedIssuer',
      metadata: { name: 'GitLab' },
      spec: { issuer: 'https://gl.test' },
    };
    const rule = {
      ...head,
      kind: 'Credential',
      metadata: { name: 'other' },
      spec: {
        identity: 'deploy',
        type: 'federated',
        trusted_issuer: 'https://gl.test',
        conditions: { sub: 'x' },
      },
    };
    const answer = await apply([IDENTITY, other, rule], { prune: true });
    expect(answer.status, answer.text).toBe(200);
    expect(changesOf(answer)).toContain('delete TrustedIssuer');
    expect((await authority.call('GET', `/v1/trusted-issuers/${encodeURIComponent(CI)}`)).status).toBe(404);
  });

  test('an issuer is declared by who may write trusted issuers, and by nobody else', async () => {
    const nouns = ['identities', 'credentials', 'resource-servers', 'access'];
    const token = await operator(
      authority,
      'robot',
      nouns.map((noun) => `${noun}:write`),
    );
    const answer = await authority.call('POST', '/v1/apply', { token, body: { documents: story } });
    expect([answer.status, answer.body.code]).toEqual([403, 'exceeds_own_access']);
  });

  test('a rule without its pins is refused, with the document that has it', async () => {
    const loose = { ...RULE, spec: { ...RULE.spec, conditions: { repository: 'acme/app' } } };
    const answer = await apply([loose, IDENTITY, TRUSTED]);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('repository_id and repository_owner_id');
    expect(answer.text).toContain('/documents/0/spec/conditions');
  });
});

describe('who may say which tokens are believed', () => {
  test('whoever changes the keys of an issuer holds what the identities with its rules hold', async () => {
    const token = await operator(authority, 'helpdesk', ['trusted-issuers:write', 'credentials:write']);
    const { admin } = authority;
    await authority.call('POST', '/v1/trusted-issuers', { body: { issuer: CI, name: 'CI' } });
    const rule = { type: 'federated', trusted_issuer: CI, conditions: { sub: 'root' } };
    const made = await authority.call('POST', `/v1/identities/${admin.clientId}/credentials`, { body: rule });
    expect(made.status, made.text).toBe(201);
    const path = `/v1/trusted-issuers/${encodeURIComponent(CI)}`;
    for (const body of [{ jwks_uri: 'https://evil.test/jwks' }, { audience: 'https://evil.test' }]) {
      const answer = await authority.call('PATCH', path, { ...any, body, token });
      expect([answer.status, answer.body.code]).toEqual([403, 'exceeds_own_access']);
    }
    // Stopping it takes nothing that one has to hold.
    expect(
      (await authority.call('PATCH', path, { ...any, body: { state: 'suspended' }, token })).status,
    ).toBe(200);
    expect((await authority.call('PATCH', path, { ...any, body: { state: 'active' }, token })).status).toBe(
      403,
    );
  });

  test('each change has its event, with what was and what is', async () => {
    const path = `/v1/trusted-issuers/${encodeURIComponent(CI)}`;
    await authority.call('POST', '/v1/trusted-issuers', { body: { issuer: CI, name: 'CI' } });
    await authority.call('PATCH', path, { ...any, body: { max_token_age: 60 } });
    await authority.call('PATCH', path, { ...any, body: { state: 'suspended' } });
    await authority.call('PATCH', path, { ...any, body: { state: 'active' } });
    await authority.call('DELETE', path, any);
    const types = authority.log.events
      .map(({ type }) => type)
      .filter((type) => type.startsWith('trusted_issuer'));
    expect(types).toEqual([
      'trusted_issuer.created',
      'trusted_issuer.updated',
      'trusted_issuer.suspended',
      'trusted_issuer.resumed',
      'trusted_issuer.deleted',
    ]);
  });

  test('versions: a change names the one that is there', async () => {
    const made = await authority.call('POST', '/v1/trusted-issuers', { body: { issuer: CI, name: 'CI' } });
    const path = `/v1/trusted-issuers/${String(made.body.id)}`;
    expect((await authority.call('PATCH', path, { body: { name: 'x' } })).status).toBe(428);
    const stale = { headers: { 'If-Match': '"7"' }, body: { name: 'x' } };
    expect((await authority.call('PATCH', path, stale)).status).toBe(412);
    const right = { headers: { 'If-Match': made.headers['etag'] ?? '' }, body: { name: 'x' } };
    expect((await authority.call('PATCH', path, right)).status).toBe(200);
  });

  test('one whose keys could never be fetched is refused, and one that brings them is not', async () => {
    const create = async (body: object): Promise<unknown[]> => {
      const answer = await authority.call('POST', '/v1/trusted-issuers', { body: { name: 'x', ...body } });
      return [answer.status, answer.body.errors?.[0]?.pointer];
    };
    const inside = 'https://10.0.0.1';
    expect(await create({ issuer: CI, jwks_uri: `${inside}/jwks` })).toEqual([400, '/jwks_uri']);
    expect(await create({ issuer: inside })).toEqual([400, '/issuer']);
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] };
    expect(await create({ issuer: inside, jwks })).toEqual([201, undefined]);
    const created = await authority.call('POST', '/v1/trusted-issuers', { body: { issuer: CI, name: 'x' } });
    const changed = await authority.call('PATCH', `/v1/trusted-issuers/${created.body.id}`, {
      ...any,
      body: { jwks_uri: `${inside}/jwks` },
    });
    expect([changed.status, changed.body.errors?.[0]?.pointer]).toEqual([400, '/jwks_uri']);
  });

  test('the authority does not trust itself in this way', async () => {
    await authority.call('POST', '/v1/identities', { body: identityBody('x', { client_id: 'x' }) });
    const answer = await authority.call('POST', '/v1/trusted-issuers', {
      body: { issuer: ISSUER, name: 'me' },
    });
    expect([answer.status, answer.body.code]).toEqual([409, 'built_in']);
  });
});

describe('what was issued for tokens of an issuer', () => {
  const path = `/v1/trusted-issuers/${encodeURIComponent(CI)}`;
  const state = (to: string) => authority.call('PATCH', path, { ...any, body: { state: to } });

  async function trustWithRules(count: number): Promise<string[]> {
    await authority.call('POST', '/v1/trusted-issuers', { body: { issuer: CI, name: 'CI' } });
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      // An identity has at most 50.
      const name = `deploy-${i % 2}`;
      if (i < 2)
        await authority.call('POST', '/v1/identities', { body: identityBody(name, { client_id: name }) });
      const rule = { type: 'federated', trusted_issuer: CI, conditions: { sub: `job-${i}` } };
      const made = await authority.call('POST', `/v1/identities/${name}/credentials`, { body: rule });
      expect(made.status, made.text).toBe(201);
      ids.push(made.body.id as string);
    }
    return ids;
  }
  const ordered = async (): Promise<string[]> =>
    (await authority.ledger.current()).entries.map(({ entry }) => `${entry.kind} ${entry.id}`);

  test('is cut off when it is suspended, rule by rule, however many there are; the answer says so', async () => {
    const ids = await trustWithRules(51);
    const answer = await state('suspended');
    expect([answer.status, answer.body.state, answer.body.cut_off]).toEqual([200, 'suspended', 51]);
    expect((await ordered()).toSorted()).toEqual(ids.map((id) => `credential ${id}`).toSorted());
    const events = authority.log.events.filter(({ type }) => type === 'cutoff.ordered');
    expect(events[0]?.reason).toBe(`trusted issuer suspended: ${CI}`);
    // The rules are as they were: they count again when the issuer is believed again.
    const rule = await authority.call('GET', `/v1/credentials/${String(ids[0])}`);
    expect(rule.body.state).toBe('active');
    expect((await state('active')).body.cut_off).toBe(0);
    expect(await ordered()).toHaveLength(51);
  });

  test('is cut off again when suspending is said again, as after a failure half way', async () => {
    await trustWithRules(1);
    await state('suspended');
    expect((await state('suspended')).body.cut_off).toBe(1);
    expect(await ordered()).toHaveLength(2);
  });

  test('is cut off when it is deleted: of rules that were revoked within the life of a token', async () => {
    const [old, late] = await trustWithRules(2);
    await authority.call('DELETE', `/v1/credentials/${String(old)}`, any);
    authority.clock.advance(86_400_001);
    await authority.call('DELETE', `/v1/credentials/${String(late)}`, any);
    const answer = await authority.call('DELETE', path, any);
    expect([answer.status, answer.body.cut_off]).toEqual([200, 1]);
    expect(await ordered()).toEqual([`credential ${String(late)}`]);
  });

  test('is cut off when declared documents prune it, however many rules it had; planning that orders none', async () => {
    const ids = await trustWithRules(51);
    const other = {
      ...head,
      kind: 'TrustedIssuer',
      metadata: { name: 'GitLab' },
      spec: { issuer: 'https://gl.test' },
    };
    const declared = [
      other,
      IDENTITY,
      {
        ...RULE,
        spec: { ...RULE.spec, trusted_issuer: 'https://gl.test', conditions: { sub: 'x' } },
      },
    ];
    type Changed = { readonly changes: { kind: string; after: { kind: string } }[] };
    const orders = ({ body }: { readonly body: Changed }) =>
      body.changes.filter(({ kind, after }) => kind === 'Cutoff' && after.kind === 'credential').length;
    const dry = await authority.call('POST', '/v1/apply?dry_run=true', {
      body: { documents: declared, prune: true },
    });
    expect([dry.status, orders(dry)]).toEqual([200, 51]);
    expect(await ordered()).toEqual([]);
    const answer = await apply(declared, { prune: true });
    expect([answer.status, orders(answer)]).toEqual([200, 51]);
    const rules = (await ordered()).filter((order) => order.startsWith('credential'));
    expect(rules.toSorted()).toEqual(ids.map((id) => `credential ${id}`).toSorted());
    expect(authority.log.events.findLast(({ type }) => type === 'cutoff.ordered')?.reason).toBe(
      `trusted issuer deleted: ${CI}`,
    );
    // Last of all, so that one that is interrupted is found again.
    const types = authority.log.events.map(({ type }) => type);
    expect(types.indexOf('trusted_issuer.deleted')).toBeGreaterThan(types.indexOf('cutoff.ordered') + 49);
    expect((await authority.call('GET', path)).status).toBe(404);
    expect(changesOf(await apply(declared, { prune: true }))).toEqual([]);
  });

  test('stays good when anything else is changed; a dry run names the cut-offs and orders none', async () => {
    const [id] = await trustWithRules(1);
    const renamed = await authority.call('PATCH', path, { ...any, body: { name: 'x' } });
    expect(renamed.body.cut_off).toBe(0);
    const dry = await authority.call('PATCH', `${path}?dry_run=true`, {
      ...any,
      body: { state: 'suspended' },
    });
    expect(dry.body.changes).toMatchObject([
      { op: 'update', kind: 'TrustedIssuer', fields: ['state'] },
      { op: 'create', kind: 'Cutoff', after: { kind: 'credential', target: id } },
    ]);
    expect(await ordered()).toEqual([]);
    expect((await authority.call('GET', path)).body.state).toBe('active');
  });
});
