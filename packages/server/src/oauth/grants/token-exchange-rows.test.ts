// Rows of exchanges (RFC 8693 §4.1): what happens in the middle of one ends what came of it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addExchange,
  addParty,
  claimsOf,
  type ExchangeScene,
  LEDGER,
  type Party,
  scopesOf,
} from '../../../test/exchange-scene.ts';
import { changed, FRAUD, jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { orderCutoff } from '../../cutoff/order.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { accessRecord, resourceServerRecord } from '../../storage/contract/records.ts';

const VAULT = 'https://vault.test';

let scene: TokenScene;
let exch: ExchangeScene;
let ledgerApi: Party;
/** payments → fraud → ledger → vault: what each call was made with. */
let first: string;
let second: string;
let third: string;

beforeEach(async () => {
  scene = await openTokenScene();
  exch = await addExchange(scene);
  const { storage } = scene;
  ledgerApi = await addParty(scene, 'ledger-api');
  const ledger = changed(exch.ledger, { scopes: [...exch.ledger.scopes, ...scopesOf('tokens:exchange')] });
  await storage.resourceServers.replace(ledger);
  const token = { format: 'opaque', lifetime: undefined, signingAlg: 'ES256', typ: 'at+jwt' } as const;
  const vault = resourceServerRecord({ identifier: VAULT, scopes: scopesOf('vault:read'), token });
  await storage.resourceServers.insert(vault);
  await storage.access.insert(
    accessRecord(ledgerApi.identity.id, ledger.id, { scopes: ['tokens:exchange'] }),
  );
  for (const { id } of [ledgerApi.identity, scene.identity])
    await storage.access.insert(accessRecord(id, vault.id, { scopes: ['vault:read'] }));
  first = await exch.subjectToken();
  second = tokenOf(await exch.exchange(first));
  third = tokenOf(await exch.exchange(second, { resource: VAULT }, { as: ledgerApi.authorization }));
});
afterEach(() => scene.close());

const tokenOf = (answer: Parameters<typeof jsonOf>[0]): string => String(jsonOf(answer).access_token);
const told = async (token: string, by: Party) =>
  jsonOf(await scene.about('/oauth/introspect', token, by.authorization));
const accessTo = async (clientId: string, resource: string): Promise<AccessRecord> => {
  const identity = await scene.storage.identities.byClientId(clientId);
  const server = await scene.storage.resourceServers.byIdentifier(resource);
  const filter = { identityId: identity?.id, resourceServerId: server?.id };
  const { items } = await scene.storage.access.list(filter, { limit: 1 });
  return items[0] as AccessRecord;
};
const take = async (clientId: string, resource: string): Promise<void> =>
  scene.storage.access.replace(changed(await accessTo(clientId, resource), { state: 'revoked' }));

describe('what a row of exchanges made', () => {
  it('is good while all of the row is', async () => {
    expect(await told(third, ledgerApi)).toMatchObject({
      active: true,
      sub: 'payments',
      act: { sub: 'ledger-api', act: { sub: 'fraud-api' } },
      scope: 'vault:read',
    });
  });

  it.each<[string, () => Promise<void>]>([
    ['who acted in the middle loses what it held there', () => take('fraud-api', LEDGER)],
    ['the subject loses what its first token was for', () => take('payments', FRAUD)],
    ['the subject loses the last of it', () => take('payments', VAULT)],
    [
      'the scopes of the token in the middle are taken away',
      async () =>
        scene.storage.access.replace(
          changed(await accessTo('fraud-api', LEDGER), { scopes: ['ledger:close'] }),
        ),
    ],
  ])('ends when %s', async (_what, end) => {
    await end();
    expect(await told(third, ledgerApi)).toEqual({ active: false });
  });

  it('cannot be exchanged on when something in its middle has ended', async () => {
    await take('payments', FRAUD);
    const answer = await exch.exchange(second, { resource: VAULT }, { as: ledgerApi.authorization });
    expect(jsonOf(answer)).toMatchObject({ error: 'invalid_request' });
    expect(scene.log.events.at(-1)).toMatchObject({ reason: 'subject_token_dead' });
  });

  it('ends with the key that signed the first of it, whatever key signed the last', async () => {
    const header = JSON.parse(Buffer.from(first.split('.')[0] ?? '', 'base64url').toString()) as {
      kid: string;
    };
    expect(claimsOf(second).via[0].kid).toBe(header.kid);
    await scene.storage.transaction((stores) =>
      orderCutoff(scene.deps, stores, {
        kind: 'key',
        target: header.kid,
        reason: 'stolen',
        orderedBy: 'admin',
      }),
    );
    expect(await told(third, ledgerApi)).toEqual({ active: false });
  });
});
