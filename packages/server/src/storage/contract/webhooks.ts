import { expect, it } from 'vitest';
import type { DeliveryOutcome, WebhookDeliveryRecord } from '../webhook-deliveries.ts';
import type { WebhookRecord, WebhookSecretRecord } from '../webhooks.ts';
import { changed, freshId, T0 } from './records.ts';
import type { Subject } from './subject.ts';

function webhookRecord(overrides: Partial<WebhookRecord> = {}): WebhookRecord {
  const id = freshId('whk');
  return {
    id,
    name: `hook ${id}`,
    url: 'https://siem.example/hooks',
    events: ['credential.*', '*'],
    description: undefined,
    state: 'enabled',
    disabledReason: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

function deliveryRecord(
  webhookId: string,
  overrides: Partial<WebhookDeliveryRecord> = {},
): WebhookDeliveryRecord {
  return {
    id: freshId('dlv'),
    webhookId,
    eventId: freshId('evt'),
    type: 'identity.suspended',
    body: '{"type":"identity.suspended","text":"ä \\u0000"}',
    state: 'waiting',
    attempts: 0,
    nextAt: T0,
    lastAt: undefined,
    lastStatus: undefined,
    lastError: undefined,
    createdAt: T0,
    startedAt: T0,
    finishedAt: undefined,
    ...overrides,
  };
}

const DELIVERED: DeliveryOutcome = {
  state: 'delivered',
  nextAt: T0 + 1,
  lastAt: T0 + 1,
  lastStatus: 204,
  lastError: undefined,
  finishedAt: T0 + 1,
};

export function webhookContract({ storage }: Subject): void {
  async function webhook(overrides: Partial<WebhookRecord> = {}): Promise<WebhookRecord> {
    const record = webhookRecord(overrides);
    await storage().webhooks.insert(record);
    return record;
  }

  async function delivery(
    webhookId: string,
    overrides: Partial<WebhookDeliveryRecord> = {},
  ): Promise<WebhookDeliveryRecord> {
    const record = deliveryRecord(webhookId, overrides);
    await storage().webhookDeliveries.insert(record);
    return record;
  }

  it('keeps webhooks under names that are free again when one is deleted', async () => {
    const { webhooks } = storage();
    const record = await webhook({ description: 'for the SIEM' });
    expect(await webhooks.byId(record.id)).toStrictEqual(record);
    expect(await webhooks.byName(record.name)).toStrictEqual(record);
    const twin = webhookRecord({ name: record.name });
    await expect(webhooks.insert(twin)).rejects.toMatchObject({ fault: 'unique_conflict', detail: 'name' });
    const off = changed(record, { state: 'disabled', disabledReason: 'gone' });
    await webhooks.replace(off);
    await expect(webhooks.replace(off)).rejects.toMatchObject({ fault: 'version_conflict' });
    expect((await webhooks.live()).map(({ id }) => id)).toContain(record.id);
    await webhooks.replace(changed(off, { state: 'deleted' }));
    expect(await webhooks.byName(record.name)).toBeUndefined();
    expect((await webhooks.live()).map(({ id }) => id)).not.toContain(record.id);
    expect((await webhooks.list({ limit: 100 })).items.map(({ id }) => id)).not.toContain(record.id);
    await webhooks.insert(twin);
    expect(await webhooks.byName(record.name)).toStrictEqual(twin);
  });

  it('keeps several secrets of a webhook, newest first, until they end', async () => {
    const { webhooks } = storage();
    const { id: webhookId } = await webhook();
    const make = async (madeAt: number): Promise<WebhookSecretRecord> => {
      const record = {
        id: freshId('whs'),
        webhookId,
        sealed: 'v1.x',
        digest: freshId('digest'),
        madeAt,
        retiresAt: undefined,
      };
      await webhooks.insertSecret(record);
      return record;
    };
    const first = await make(T0);
    const second = await make(T0 + 5);
    await webhooks.retireSecrets(webhookId, second.id, T0 + 100);
    const retired = { ...first, retiresAt: T0 + 100 };
    expect(await webhooks.secretsOf(webhookId)).toStrictEqual([second, retired]);
    expect(await webhooks.bySecretDigest(first.digest)).toStrictEqual(retired);
    const third = await make(T0 + 6);
    await webhooks.retireSecrets(webhookId, third.id, T0 + 200);
    expect((await webhooks.secretsOf(webhookId)).map(({ retiresAt }) => retiresAt)).toEqual([
      undefined,
      T0 + 200,
      T0 + 100,
    ]);
    await webhooks.dropRetired(webhookId, T0 + 100);
    expect((await webhooks.secretsOf(webhookId)).map(({ id }) => id)).toEqual([third.id, second.id]);
    await webhooks.dropSecrets(webhookId);
    expect(await webhooks.secretsOf(webhookId)).toEqual([]);
    expect(await webhooks.bySecretDigest(third.digest)).toBeUndefined();
  });

  it('keeps how long a receiver has been failing', async () => {
    const { webhooks } = storage();
    const { id: webhookId } = await webhook();
    expect(await webhooks.health(webhookId)).toBeUndefined();
    const health = { webhookId, failingSince: T0, failures: 1, holdUntil: T0 + 5 };
    await webhooks.putHealth(health);
    await webhooks.putHealth({ ...health, failures: 2, holdUntil: T0 + 60 });
    expect(await webhooks.health(webhookId)).toStrictEqual({ ...health, failures: 2, holdUntil: T0 + 60 });
    await webhooks.dropHealth(webhookId);
    expect(await webhooks.health(webhookId)).toBeUndefined();
  });

  it('gives what is due for one webhook, the longest overdue first', async () => {
    const { webhookDeliveries } = storage();
    const [one, other] = [await webhook(), await webhook()];
    const late = await delivery(one.id, { nextAt: T0 + 9 });
    const early = await delivery(one.id, { nextAt: T0 - 9 });
    await delivery(one.id, { nextAt: T0 + 10 });
    await delivery(one.id, { state: 'delivered', finishedAt: T0 });
    await delivery(other.id);
    expect(await webhookDeliveries.due(one.id, T0 + 9, 10)).toStrictEqual([early, late]);
    expect(await webhookDeliveries.due(one.id, T0 + 9, 1)).toStrictEqual([early]);
    expect(await webhookDeliveries.waiting(one.id, 100)).toBe(3);
    expect(await webhookDeliveries.waiting(one.id, 2)).toBe(2);
    expect(await webhookDeliveries.byId(late.id)).toStrictEqual(late);
    await expect(webhookDeliveries.insert(deliveryRecord('whk_nobody'))).rejects.toMatchObject({
      fault: 'missing_reference',
    });
  });

  it('gives each attempt to exactly one of those who ask for it', async () => {
    const { webhookDeliveries } = storage();
    const { id } = await delivery((await webhook()).id);
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => webhookDeliveries.claim(id, 0, T0 + 60_000)),
    );
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await webhookDeliveries.byId(id)).toMatchObject({ attempts: 1, nextAt: T0 + 60_000 });
    expect(await webhookDeliveries.claim(id, 1, T0 + 120_000)).toBe(true);
    // The first attempt ends after it was taken to have died.
    await webhookDeliveries.settle(id, 1, DELIVERED);
    expect(await webhookDeliveries.byId(id)).toMatchObject({ state: 'waiting', attempts: 2 });
    await webhookDeliveries.settle(id, 2, DELIVERED);
    expect(await webhookDeliveries.byId(id)).toMatchObject({ state: 'delivered', lastStatus: 204 });
    expect(await webhookDeliveries.claim(id, 2, T0)).toBe(false);
  });

  it('gives up what waits, and takes it up again', async () => {
    const { webhookDeliveries } = storage();
    const { id: webhookId } = await webhook();
    const old = await delivery(webhookId, { createdAt: T0 - 100 });
    const young = await delivery(webhookId, { attempts: 7, nextAt: T0 + 1e9 });
    const done = await delivery(webhookId, { state: 'delivered', finishedAt: T0 });
    await webhookDeliveries.giveUp(webhookId, T0 + 5, 'nobody is there');
    expect(await webhookDeliveries.byId(young.id)).toStrictEqual({
      ...young,
      state: 'given_up',
      finishedAt: T0 + 5,
      lastError: 'nobody is there',
    });
    expect(await webhookDeliveries.byId(done.id)).toStrictEqual(done);
    expect(await webhookDeliveries.revive(webhookId, T0, T0 + 50, 10)).toBe(1);
    expect(await webhookDeliveries.byId(young.id)).toMatchObject({
      state: 'waiting',
      attempts: 0,
      nextAt: T0 + 50,
      startedAt: T0 + 50,
      finishedAt: undefined,
    });
    expect(await webhookDeliveries.byId(old.id)).toMatchObject({ state: 'given_up' });
  });

  it('lists what was sent newest first, and forgets what was finished long ago', async () => {
    const { webhookDeliveries } = storage();
    const { id: webhookId } = await webhook();
    const made: WebhookDeliveryRecord[] = [];
    for (let at = 0; at < 5; at++) {
      const finished = at % 2 === 0 ? { state: 'delivered' as const, finishedAt: T0 + at } : {};
      made.unshift(await delivery(webhookId, { createdAt: T0 + at, ...finished }));
    }
    const first = await webhookDeliveries.list({ webhookId }, { limit: 3 });
    const second = await webhookDeliveries.list({ webhookId }, { limit: 3, after: first.next });
    expect([...first.items, ...second.items]).toStrictEqual(made);
    expect(second.next).toBeUndefined();
    const waiting = await webhookDeliveries.list({ webhookId, state: 'waiting' }, { limit: 10 });
    expect(waiting.items).toHaveLength(2);
    await webhookDeliveries.forget(T0 + 3, 1000);
    const left = (await webhookDeliveries.list({ webhookId }, { limit: 10 })).items;
    expect(left.map(({ createdAt }) => createdAt - T0)).toEqual([4, 3, 1]);
    const hook = await storage().webhooks.byId(webhookId);
    await storage().webhooks.replace(changed(hook as WebhookRecord, { state: 'deleted' }));
    await webhookDeliveries.forget(T0 + 3, 1000);
    expect((await webhookDeliveries.list({ webhookId, state: 'waiting' }, { limit: 10 })).items).toEqual([]);
  });
}
