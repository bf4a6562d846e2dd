import { afterAll, describe } from 'vitest';
import { storageContract } from '../storage/contract/storage.ts';
import { openPostgresStorage } from './postgres.ts';
import { testDatabases } from './test-databases.ts';

const server = process.env['COUNTERSIGN_TEST_POSTGRES'];

describe.skipIf(server === undefined)('PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
  const databases = testDatabases(server ?? '');
  afterAll(() => databases.dropAll());

  storageContract('PostgreSQL', async (clock) =>
    openPostgresStorage({ url: await databases.create(), clock }),
  );
});
