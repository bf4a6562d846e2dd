import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { changed, credentialRecord, identityRecord } from '../storage/contract/records.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Storage } from '../storage/storage.ts';
import { createStatusLists, PLACES_A_LIST, type StatusLists } from './status-list.ts';

const ISSUER = 'https://authority.test';
let now: number;
let storage: Storage;
let lists: StatusLists;
let signatures: number;
let identity: IdentityRecord;
let credential: CredentialRecord;

beforeEach(async () => {
  identity = identityRecord();
  credential = credentialRecord(identity.id);
  now = credential.createdAt + 1000;
  signatures = 0;
  storage = await openMemoryStorage({ now: () => now });
  await storage.identities.insert(identity);
  await storage.credentials.insert(credential);
  lists = createStatusLists({
    storage,
    clock: { now: () => now },
    issuer: ISSUER,
    keystore: {
      sign: async (alg, typ, payload) => {
        signatures++;
        return `${JSON.stringify({ alg, typ })}\n${payload}`;
      },
    },
  });
});
afterEach(async () => {
  lists.close();
  await storage.close();
});

const ORDER = {
  id: 'cut_x',
  kind: 'identity' as const,
  target: 'somebody',
  notBefore: 1,
  reason: 'leak',
  orderedBy: 'admin',
  createdAt: 1,
};

interface Read {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown> & { readonly status_list: { bits: number; lst: string } };
  readonly bits: Buffer;
}
async function read(number = 0): Promise<Read> {
  const [header = '', payload = ''] = ((await lists.read(number)) ?? '').split('\n');
  const claims = JSON.parse(payload);
  return {
    header: JSON.parse(header),
    claims,
    bits: inflateSync(Buffer.from(claims.status_list.lst, 'base64url')),
  };
}
const statusIn = ({ bits }: Read, idx: number): number => ((bits[idx >> 3] as number) >> (idx & 7)) & 1;

test('a list is a signed token of its own kind, about its own address, good for a minute', async () => {
  const place = await lists.placeOf(credential.id);
  expect(place).toEqual({ idx: 0, uri: `${ISSUER}/oauth/status/0` });
  const list = await read();
  const iat = Math.floor(now / 1000);
  expect(list.header).toEqual({ alg: 'ES256', typ: 'statuslist+jwt' });
  expect(list.claims).toMatchObject({
    iss: ISSUER,
    sub: place?.uri,
    iat,
    exp: iat + 60,
    ttl: 15,
    status_list: { bits: 1 },
  });
  expect(list.bits).toHaveLength(PLACES_A_LIST / 8);
  expect(JSON.stringify(list.claims).length).toBeLessThan(400);
  expect(statusIn(list, 0)).toBe(0);
});

test('what was given out and is forgotten is invalid; what may be given out any moment is valid', async () => {
  expect(await lists.read(0)).toBeUndefined();
  for (let i = 0; i < 11; i++) {
    await lists.placeOf(credential.id);
    if (i < 10) await storage.statusIndexes.end({ credential: credential.id }, now - 2000);
    // Makes the places that are kept here forgotten.
    await storage.cutoffs.append({ ...ORDER, id: `cut_${i}` });
  }
  await storage.statusIndexes.sweep(now);
  const list = await read();
  expect(Array.from({ length: 12 }, (_, idx) => statusIn(list, idx))).toEqual([...Array(10).fill(1), 0, 0]);
  expect(statusIn(list, PLACES_A_LIST - 1)).toBe(0);
  expect(await lists.read(1)).toBeUndefined();
});

test('a list that was made before a place was given out does not call it invalid', async () => {
  await lists.placeOf(credential.id);
  const before = await read();
  const second = credentialRecord(identity.id);
  await storage.credentials.insert(second);
  const place = await lists.placeOf(second.id);
  expect(statusIn(before, place?.idx ?? 0)).toBe(0);
});

test('a place is invalid from the order on, and stays so when its identity comes back with another one', async () => {
  await lists.placeOf(credential.id);
  expect(statusIn(await read(), 0)).toBe(0);
  const suspended = changed(identity, { state: 'suspended' as const });
  await storage.transaction(async (stores) => {
    await stores.identities.replace(suspended);
    await stores.statusIndexes.end({ identity: identity.clientId }, now);
    await stores.cutoffs.append(ORDER);
  });
  now += 1000;
  expect(statusIn(await read(), 0)).toBe(1);
  expect(await lists.placeOf(credential.id)).toBeUndefined();
  await storage.identities.replace(changed(suspended, { state: 'active' as const }));
  expect(await lists.placeOf(credential.id)).toMatchObject({ idx: 1 });
  now += 1000;
  const back = await read();
  expect([statusIn(back, 0), statusIn(back, 1)]).toEqual([1, 0]);
});

test('what expires without a word is invalid within the time that a list may be kept', async () => {
  await lists.placeOf(credential.id);
  now = credential.expiresAt - 1000;
  expect(statusIn(await read(), 0)).toBe(0);
  now += 15_000;
  expect(statusIn(await read(), 0)).toBe(1);
});

test('however many ask, and whatever changes, a list is made once a second', async () => {
  await lists.placeOf(credential.id);
  signatures = 0;
  for (let i = 0; i < 50; i++) {
    await Promise.all([read(), read()]);
    await storage.identities.replace((identity = changed(identity, { purpose: `p${i}` })));
  }
  expect(signatures).toBe(1);
  now += 1000;
  await read();
  await read();
  expect(signatures).toBe(2);
  // Nothing changed since: it is kept for as long as anybody may keep it.
  now += 14_000;
  await read();
  expect(signatures).toBe(2);
});

test('the place of a credential is asked for once', async () => {
  let allotments = 0;
  const counting = createStatusLists({
    storage: {
      ...storage,
      statusIndexes: {
        ...storage.statusIndexes,
        allot: (id) => {
          allotments++;
          return storage.statusIndexes.allot(id);
        },
      },
    },
    clock: { now: () => now },
    issuer: ISSUER,
    keystore: { sign: async () => '' },
  });
  for (let i = 0; i < 10; i++) await counting.placeOf(credential.id);
  expect(allotments).toBe(1);
  counting.close();
});

test('the 131,073rd place is the first of the second list', async () => {
  const places = { ...storage.statusIndexes, allot: async () => PLACES_A_LIST };
  const far = createStatusLists({
    storage: { ...storage, statusIndexes: places },
    clock: { now: () => now },
    issuer: ISSUER,
    keystore: { sign: async () => '' },
  });
  expect(await far.placeOf('crd')).toEqual({ idx: 0, uri: `${ISSUER}/oauth/status/1` });
  far.close();
});

test('is made once at a time, and not again because somebody asks for many that do not exist', async () => {
  await lists.placeOf(credential.id);
  const asked = [0, ...Array.from({ length: 200 }, (_, index) => index + 1), 0];
  const answers = await Promise.all(asked.map((number) => lists.read(number)));
  expect(answers.filter((answer) => answer !== undefined)).toHaveLength(2);
  await lists.read(0);
  expect(signatures).toBe(1);
});
