import { expect, test } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import type { Party } from '../storage/approvals.ts';
import { credentialRecord, identityRecord } from '../storage/contract/records.ts';
import { sameHuman } from './same-human.ts';

const PAT: Party = { kind: 'person', issuer: 'https://idp.test', subject: '7', handle: 'pat' };
const EVA: Party = { kind: 'person', issuer: 'https://idp.test', subject: '8', handle: 'eva' };

test('whoever stands behind more machines than are followed is taken for the one who is asked about', async () => {
  const storage = await openMemoryStorage();
  const identity = identityRecord({
    clientId: 'batch',
    owner: { person: 'ada', backup: undefined, team: undefined },
  });
  await storage.identities.insert(identity);
  const made = async (maker: Party): Promise<Party> => {
    const credential = credentialRecord(identity.id);
    await storage.credentials.insert(credential);
    await storage.credentialMakers.note(credential.id, maker);
    return { kind: 'machine', clientId: 'batch', credential: credential.id };
  };
  let machine = await made(PAT);
  for (let links = 1; links < 10; links++) machine = await made(machine);
  expect(await sameHuman(storage, PAT, machine)).toBe(true);
  expect(await sameHuman(storage, EVA, machine)).toBe(false);
  for (let links = 10; links < 25; links++) machine = await made(machine);
  expect(await sameHuman(storage, PAT, machine)).toBe(true);
  expect(await sameHuman(storage, machine, PAT)).toBe(true);
  await storage.close();
});
