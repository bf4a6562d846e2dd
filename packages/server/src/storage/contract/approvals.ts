import { expect, it } from 'vitest';
import type { ApprovalRuleRecord } from '../approval-rules.ts';
import type { ApprovalDecisionRecord, ApprovalRequestRecord } from '../approvals.ts';
import { T0, accessRecord, changed, credentialRecord, freshId, pair } from './records.ts';
import type { Subject } from './subject.ts';

export function approvalContract({ storage }: Subject): void {
  const ruleRecord = (overrides: Partial<ApprovalRuleRecord> = {}): ApprovalRuleRecord => ({
    id: freshId('apr'),
    name: freshId('apr'),
    subject: 'access',
    match: { environments: ['prod'], minSensitivity: 2 },
    steps: [{ quorum: 2, roles: ['approver'], teams: ['risk'], people: [] }],
    ownerMayApprove: false,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  });

  async function requestRecord(
    overrides: Partial<ApprovalRequestRecord> = {},
  ): Promise<ApprovalRequestRecord> {
    const { identity, resourceServer } = await pair(storage());
    return {
      id: freshId('arq'),
      subject: 'access',
      subjectId: freshId('acs'),
      op: 'create',
      identityId: identity.id,
      resourceServerId: resourceServer.id,
      content: { scopes: ['read'], conditions: null },
      contentHash: 'a'.repeat(64),
      sensitivity: 3,
      requestedBy: 'ci',
      parties: [
        { kind: 'machine', clientId: 'ci', credential: 'crd_1' },
        { kind: 'named', handle: 'ada' },
      ],
      state: 'pending',
      reason: undefined,
      expiresAt: T0 + 100,
      decidedAt: undefined,
      createdAt: T0,
      updatedAt: T0,
      version: 1,
      ...overrides,
    };
  }

  async function inserted(overrides: Partial<ApprovalRequestRecord> = {}): Promise<ApprovalRequestRecord> {
    const record = await requestRecord(overrides);
    await storage().approvals.insert(record);
    return record;
  }

  const decision = (
    requestId: string,
    overrides: Partial<ApprovalDecisionRecord> = {},
  ): ApprovalDecisionRecord => ({
    requestId,
    issuer: 'https://people.example',
    subject: freshId('sub'),
    handle: 'grace',
    email: undefined,
    roles: ['approver'],
    teams: [],
    decision: 'approve',
    comment: undefined,
    contentHash: 'a'.repeat(64),
    at: T0,
    ...overrides,
  });

  it('gives rules back, by id, by name and all of them; one name at a time', async () => {
    const rule = ruleRecord();
    await storage().approvalRules.insert(rule);
    expect(await storage().approvalRules.byId(rule.id)).toStrictEqual(rule);
    expect(await storage().approvalRules.byName(rule.name)).toStrictEqual(rule);
    expect(await storage().approvalRules.active()).toContainEqual(rule);
    const twin = ruleRecord({ name: rule.name });
    await expect(storage().approvalRules.insert(twin)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'name',
    });
    const deleted = changed(rule, { state: 'deleted' });
    await storage().approvalRules.replace(deleted);
    await expect(storage().approvalRules.replace(deleted)).rejects.toMatchObject({
      fault: 'version_conflict',
    });
    expect(await storage().approvalRules.byName(rule.name)).toBeUndefined();
    expect((await storage().approvalRules.list({ limit: 100 })).items).not.toContainEqual(deleted);
    await storage().approvalRules.insert(twin);
  });

  it('gives requests back, and holds one that is pending about a subject', async () => {
    const record = await inserted();
    expect(await storage().approvals.byId(record.id)).toStrictEqual(record);
    expect(await storage().approvals.pendingOf([record.subjectId, 'acs_none'])).toStrictEqual([record]);
    expect(await storage().approvals.pendingOf([])).toStrictEqual([]);
    const twin = await requestRecord({ subjectId: record.subjectId });
    await expect(storage().approvals.insert(twin)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'subject',
    });
    await storage().approvals.replace(
      changed(record, { state: 'void', reason: 'edited', decidedAt: T0 + 1 }),
    );
    await storage().approvals.insert(twin);
    expect(await storage().approvals.pendingOf([record.subjectId])).toStrictEqual([twin]);
  });

  it('replaces by compare-and-swap, and never what is asked for', async () => {
    const record = await inserted();
    const approved = changed(record, { state: 'approved', decidedAt: T0 + 5, content: { other: true } });
    await storage().approvals.replace(approved);
    expect(await storage().approvals.byId(record.id)).toStrictEqual({ ...approved, content: record.content });
    await expect(storage().approvals.replace(approved)).rejects.toMatchObject({ fault: 'version_conflict' });
  });

  it('refuses one for an identity that does not exist', async () => {
    const record = await requestRecord({ identityId: 'idn_nobody' });
    await expect(storage().approvals.insert(record)).rejects.toMatchObject({ fault: 'missing_reference' });
  });

  it('tells which are due, the earliest first', async () => {
    const late = await inserted({ expiresAt: T0 - 1 });
    const later = await inserted({ expiresAt: T0 - 2 });
    await inserted({ expiresAt: T0 - 3, state: 'approved' });
    expect(await storage().approvals.due(T0 - 1, 10)).toStrictEqual([later, late]);
    expect(await storage().approvals.due(T0 - 1, 1)).toStrictEqual([later]);
  });

  it('keeps what was said, once for each person', async () => {
    const record = await inserted();
    const first = decision(record.id, { comment: 'agreed', email: 'grace@example.com' });
    const second = decision(record.id, { decision: 'reject', at: T0 + 1, teams: ['risk'] });
    await storage().approvals.decide(second);
    await storage().approvals.decide(first);
    expect(await storage().approvals.decisionsOf([record.id])).toStrictEqual([first, second]);
    expect(await storage().approvals.decisionsOf([])).toStrictEqual([]);
    await expect(storage().approvals.decide({ ...first, decision: 'reject' })).rejects.toMatchObject({
      fault: 'unique_conflict',
    });
  });

  it('lists by state, subject, identity and resource server, oldest first, page after page', async () => {
    const { identity, resourceServer } = await pair(storage());
    const ends = { identityId: identity.id, resourceServerId: resourceServer.id };
    const records: ApprovalRequestRecord[] = [];
    for (const at of [3, 1, 2]) records.push(await inserted({ ...ends, createdAt: T0 + at }));
    const ordered = records.toSorted((a, b) => a.createdAt - b.createdAt);
    const first = await storage().approvals.list({ identityId: identity.id }, { limit: 2 });
    expect(first.items).toStrictEqual(ordered.slice(0, 2));
    const rest = await storage().approvals.list(
      { resourceServerId: resourceServer.id, state: 'pending' },
      { limit: 2, after: first.next },
    );
    expect(rest.items).toStrictEqual(ordered.slice(2));
    const one = await storage().approvals.list({ subjectId: ordered[0]?.subjectId }, { limit: 2 });
    expect(one.items).toStrictEqual(ordered.slice(0, 1));
  });

  it('remembers who made a credential, the first word of it', async () => {
    const { identity } = await pair(storage());
    const credential = credentialRecord(identity.id);
    await storage().credentials.insert(credential);
    expect(await storage().credentialMakers.of(credential.id)).toBeUndefined();
    const maker = { kind: 'person', issuer: 'https://people.example', subject: 's', handle: 'ada' } as const;
    await storage().credentialMakers.note(credential.id, maker);
    await storage().credentialMakers.note(credential.id, { kind: 'machine', clientId: 'ci' });
    expect(await storage().credentialMakers.of(credential.id)).toStrictEqual(maker);
  });

  it('tells who held a scope at an instant: active, not over, in that version', async () => {
    const { identity, resourceServer } = await pair(storage());
    const access = accessRecord(identity.id, resourceServer.id, {
      scopes: ['fraud:read', 'fraud:write'],
      state: 'requested',
      expiresAt: T0 + 100,
    });
    await storage().access.insert(access);
    const active = changed(access, { state: 'active', updatedAt: T0 + 10, approvalId: 'arq_1' });
    await storage().access.replace(active);
    const narrowed = changed(active, { scopes: ['fraud:read'], updatedAt: T0 + 20 });
    await storage().access.replace(narrowed);
    await storage().access.replace(changed(narrowed, { state: 'revoked', updatedAt: T0 + 30 }));
    const held = async (scope: string, at: number): Promise<unknown> =>
      (
        await storage().access.heldAt({ resourceServerId: resourceServer.id, scope }, T0 + at, { limit: 10 })
      ).items.map(({ identityId, version }) => [identityId, version]);
    expect(await held('fraud:write', 9)).toEqual([]);
    expect(await held('fraud:write', 10)).toEqual([[identity.id, 2]]);
    expect(await held('fraud:write', 20)).toEqual([]);
    expect(await held('fraud:read', 20)).toEqual([[identity.id, 3]]);
    expect(await held('fraud:read', 30)).toEqual([]);
    const other = await pair(storage());
    const over = accessRecord(other.identity.id, resourceServer.id, { expiresAt: T0 + 50 });
    await storage().access.insert(over);
    expect(await held('fraud:read', 49)).toEqual([[other.identity.id, 1]]);
    expect(await held('fraud:read', 50)).toEqual([]);
    const then = await storage().identities.allAsOf([identity.id, other.identity.id, 'idn_none'], T0 + 1);
    expect(then.map(({ id }) => id).sort()).toEqual([identity.id, other.identity.id].sort());
    expect(await storage().identities.allAsOf([identity.id], T0 - 1)).toEqual([]);
    expect(await storage().identities.allAsOf([], T0)).toEqual([]);
  });

  it('lists what ends in a span of time, the nearest end first', async () => {
    const { identity } = await pair(storage());
    const ends = [300, 100, 200, 900];
    for (const end of ends) {
      const { resourceServer } = await pair(storage());
      await storage().access.insert(accessRecord(identity.id, resourceServer.id, { expiresAt: T0 + end }));
    }
    const filter = {
      identityId: identity.id,
      state: 'active',
      endsAfter: T0 + 100,
      endsBefore: T0 + 500,
    } as const;
    const first = await storage().access.list(filter, { limit: 1 });
    const second = await storage().access.list(filter, { limit: 1, after: first.next });
    expect([...first.items, ...second.items].map(({ expiresAt }) => expiresAt - T0)).toEqual([200, 300]);
    expect(second.next).toBeUndefined();
  });
}
