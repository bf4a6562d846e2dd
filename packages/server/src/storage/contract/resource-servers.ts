import { expect, it } from 'vitest';
import { T0, changed, freshId, resourceServerRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function resourceServerContract({ storage }: Subject): void {
  it('gives back what was inserted, by id and by identifier', async () => {
    const record = resourceServerRecord({
      token: { format: 'opaque', lifetime: 300, signingAlg: 'EdDSA', typ: 'JWT', statusList: true },
      senderConstraint: 'dpop',
      builtIn: true,
    });
    await storage().resourceServers.insert(record);
    expect(await storage().resourceServers.byId(record.id)).toStrictEqual(record);
    expect(await storage().resourceServers.byIdentifier(record.identifier)).toStrictEqual(record);
    expect(await storage().resourceServers.byId('rsv_none')).toBeUndefined();
    expect(await storage().resourceServers.byIdentifier('https://none.example')).toBeUndefined();
  });

  it('compares identifiers as strings', async () => {
    const record = resourceServerRecord({ identifier: 'https://API.example/a' });
    await storage().resourceServers.insert(record);
    expect(await storage().resourceServers.byIdentifier('https://api.example/a')).toBeUndefined();
    expect(await storage().resourceServers.byIdentifier('https://API.example/a/')).toBeUndefined();
  });

  it('keeps an identifier to one live resource server and frees it with its deletion', async () => {
    const first = resourceServerRecord();
    const second = resourceServerRecord({ identifier: first.identifier });
    const conflict = { fault: 'unique_conflict', detail: 'identifier' };
    await storage().resourceServers.insert(first);
    await expect(storage().resourceServers.insert(second)).rejects.toMatchObject(conflict);
    const deleted = changed(first, { state: 'deleted' });
    await storage().resourceServers.replace(deleted);
    expect(await storage().resourceServers.byIdentifier(first.identifier)).toBeUndefined();
    expect(await storage().resourceServers.byId(first.id)).toStrictEqual(deleted);
    await storage().resourceServers.insert(second);
    expect(await storage().resourceServers.byIdentifier(first.identifier)).toStrictEqual(second);
    const revived = changed(deleted, { state: 'active' });
    await expect(storage().resourceServers.replace(revived)).rejects.toMatchObject(conflict);
    expect(await storage().resourceServers.byId(first.id)).toStrictEqual(deleted);
  });

  it('knows what a scope was called last, however often it was taken away or its API deleted', async () => {
    const [write, writes] = ['write_100%', 'write_100%s'];
    const called = (name: string, sensitivity: number) => ({
      name,
      description: '"name":"read"',
      sensitivity,
    });
    const first = resourceServerRecord({ scopes: [called(write, 1)] });
    const last = (scope: string) => storage().resourceServers.lastSensitivity(first.identifier, scope);
    expect(await last(write)).toBeUndefined();
    await storage().resourceServers.insert(first);
    const raised = changed(first, { scopes: [called(writes, 0), called(write, 3)] });
    const without = changed(raised, { scopes: [called(writes, 0)] });
    const deleted = changed(without, { state: 'deleted' });
    for (const record of [raised, without, deleted]) await storage().resourceServers.replace(record);
    expect(await last(write)).toBe(3);
    expect(await last(writes)).toBe(0);
    expect(await last('read')).toBeUndefined();
    expect(await last(write.toUpperCase())).toBeUndefined();
    const { identifier } = first;
    const createdAt = first.createdAt + 1;
    const again = { identifier, createdAt, updatedAt: createdAt, scopes: [called(write, 2)] };
    await storage().resourceServers.insert(resourceServerRecord(again));
    expect(await last(write)).toBe(2);
    expect(await storage().resourceServers.lastSensitivity('https://none.example', write)).toBeUndefined();
  });

  it('replaces by compare-and-swap', async () => {
    const record = resourceServerRecord();
    await storage().resourceServers.insert(record);
    const next = changed(record, { name: 'Fraud 2', scopes: [] });
    await storage().resourceServers.replace(next);
    expect(await storage().resourceServers.byId(record.id)).toStrictEqual(next);
    await expect(storage().resourceServers.replace(next)).rejects.toMatchObject({
      fault: 'version_conflict',
    });
  });

  it('lists live ones, oldest first, by a text in name or identifier', async () => {
    const word = freshId('Word');
    const late = resourceServerRecord({ createdAt: T0 + 2, name: `Scores ${word}` });
    const early = resourceServerRecord({ createdAt: T0 + 1, identifier: `https://api.example/${word}` });
    const gone = resourceServerRecord({ name: word, state: 'deleted' });
    for (const record of [late, early, gone]) await storage().resourceServers.insert(record);
    const text = word.toLowerCase();
    expect(await storage().resourceServers.list({ text }, { limit: 9 })).toStrictEqual({
      items: [early, late],
    });
    const first = await storage().resourceServers.list({ text }, { limit: 1 });
    expect(first.items).toStrictEqual([early]);
    const rest = await storage().resourceServers.list({ text }, { limit: 1, after: first.next });
    expect(rest).toStrictEqual({ items: [late] });
    const all = await storage().resourceServers.list({}, { limit: 1000 });
    expect(all.items.map((record) => record.state)).not.toContain('deleted');
  });
}
