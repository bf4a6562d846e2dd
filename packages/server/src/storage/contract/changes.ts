import { expect, it } from 'vitest';
import type { Change } from '../storage.ts';
import {
  T0,
  accessRecord,
  changed,
  credentialRecord,
  freshId,
  identityRecord,
  pair,
  resourceServerRecord,
  signingKeyRecord,
} from './records.ts';
import type { Subject } from './subject.ts';

export function changeContract({ storage }: Subject): void {
  /** What listeners were told by the time the promise of the write resolved. */
  async function told(write: () => Promise<unknown>): Promise<Change[]> {
    const changes: Change[] = [];
    const stop = storage().onChange((change) => changes.push(change));
    try {
      await write();
      return changes;
    } finally {
      stop();
    }
  }

  it('tells of each kind of write before its promise resolves', async () => {
    const { identity, resourceServer } = await pair(storage());
    const identityId = identity.id;
    const fresh = identityRecord();
    const server = resourceServerRecord();
    const credential = credentialRecord(identityId);
    const access = accessRecord(identityId, resourceServer.id);
    const key = signingKeyRecord();
    const stores = storage();
    const writes: readonly (readonly [() => Promise<unknown>, readonly Change[]])[] = [
      [
        () => stores.identities.insert(fresh),
        [{ kind: 'identity', identityId: fresh.id, clientId: fresh.clientId }],
      ],
      [() => stores.identities.replace(changed(fresh, {})), [{ kind: 'identity', identityId: fresh.id }]],
      [() => stores.credentials.insert(credential), [{ kind: 'identity', identityId }]],
      [() => stores.credentials.replace(changed(credential, {})), [{ kind: 'identity', identityId }]],
      [() => stores.access.insert(access), [{ kind: 'identity', identityId }]],
      [() => stores.access.replace(changed(access, {})), [{ kind: 'identity', identityId }]],
      [
        () => stores.resourceServers.insert(server),
        [{ kind: 'resource_server', resourceServerId: server.id }],
      ],
      [
        () => stores.resourceServers.replace(changed(server, {})),
        [{ kind: 'resource_server', resourceServerId: server.id }],
      ],
      [() => stores.signingKeys.insert(key), [{ kind: 'signing_keys' }]],
      [() => stores.signingKeys.replace({ ...key, state: 'active', version: 2 }), [{ kind: 'signing_keys' }]],
      [
        () =>
          stores.cutoffs.append({
            id: freshId('cut'),
            kind: 'token',
            target: 'jti',
            notBefore: 1,
            reason: 'x',
            orderedBy: 'ada',
            createdAt: T0,
          }),
        [{ kind: 'cutoffs' }],
      ],
      [() => stores.settings.set('told', 'not'), []],
      [() => stores.usedOnce.claim('told', freshId('jti'), T0 + 1, 'payments'), []],
    ];
    for (const [write, expected] of writes) expect(await told(write)).toEqual(expected);
  });

  it('tells after the change is visible to reads', async () => {
    const { identity } = await pair(storage());
    const reads: Promise<string | undefined>[] = [];
    const stop = storage().onChange(() => {
      reads.push(
        storage()
          .identities.byId(identity.id)
          .then((record) => record?.name),
      );
    });
    await storage().identities.replace(changed(identity, { name: 'visible' }));
    stop();
    expect(await Promise.all(reads)).toEqual(['visible']);
  });

  it('tells of a transaction once it is committed, each change once', async () => {
    const { identity, resourceServer } = await pair(storage());
    const during: number[] = [];
    const changes: Change[] = [];
    const stop = storage().onChange((change) => changes.push(change));
    await storage().transaction(async ({ credentials, access, cutoffs }) => {
      await credentials.insert(credentialRecord(identity.id));
      await access.insert(accessRecord(identity.id, resourceServer.id));
      await cutoffs.append({
        id: freshId('cut'),
        kind: 'identity',
        target: 'x',
        notBefore: 1,
        reason: 'x',
        orderedBy: 'ada',
        createdAt: T0,
      });
      during.push(changes.length);
    });
    stop();
    expect(during).toEqual([0]);
    expect(changes).toEqual([{ kind: 'identity', identityId: identity.id }, { kind: 'cutoffs' }]);
  });

  it('tells nothing of what was refused or rolled back', async () => {
    const { identity } = await pair(storage());
    const refused = await told(() =>
      storage()
        .identities.replace(identity)
        .catch(() => undefined),
    );
    expect(refused).toEqual([]);
    const rolledBack = await told(() =>
      storage()
        .transaction(async ({ identities }) => {
          await identities.replace(changed(identity, { name: 'never' }));
          throw new Error('no');
        })
        .catch(() => undefined),
    );
    expect(rolledBack).toEqual([]);
  });

  it('tells every listener until it stops', async () => {
    const { identity } = await pair(storage());
    const counts = [0, 0];
    const count = (index: number) => () => {
      counts[index] = (counts[index] ?? 0) + 1;
    };
    const stops = [storage().onChange(count(0)), storage().onChange(count(1))];
    const second = changed(identity, {});
    await storage().identities.replace(second);
    stops[0]?.();
    await storage().identities.replace(changed(second, {}));
    stops[1]?.();
    expect(counts).toEqual([1, 2]);
  });

  it('tells of a very large transaction as all', async () => {
    const records = Array.from({ length: 1200 }, () => identityRecord());
    const changes = await told(() =>
      storage().transaction(async ({ identities }) => {
        for (const record of records) await identities.insert(record);
      }),
    );
    expect(changes).toEqual([{ kind: 'all' }]);
  });
}
