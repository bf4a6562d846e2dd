import { expect, it } from 'vitest';
import { T0 } from '../storage/contract/records.ts';
import { seedEstate } from './seed-estate.ts';
import { openSqliteStorage } from './sqlite.ts';

it('writes identities that each have a secret and access to one resource server', async () => {
  const storage = await openSqliteStorage({ path: ':memory:' });
  let made = 0;
  const estate = await seedEstate(storage, {
    identities: 2100,
    now: T0,
    newSecret: () => ({ secret: `secret-${made}`, publicId: `public-${made++}` }),
    digestOf: (secret) => `digest of ${secret}`,
    clients: 2001,
  });
  expect(estate.clients).toHaveLength(2001);
  expect(estate.clients[2000]).toEqual({ clientId: 'estate-2000', clientSecret: 'secret-2000' });
  const identity = await storage.identities.byClientId('estate-2000');
  const [credential] = await storage.credentials.ofIdentity(identity?.id ?? '');
  expect(credential?.material).toMatchObject({ publicId: 'public-2000', digest: 'digest of secret-2000' });
  const [access] = await storage.access.activeOfIdentity(identity?.id ?? '');
  const server = await storage.resourceServers.byIdentifier(estate.resource);
  expect(access).toMatchObject({ resourceServerId: server?.id, scopes: ['read', 'list'] });
  expect(await storage.identities.byClientId('estate-2099')).toBeDefined();
  await storage.close();
});
