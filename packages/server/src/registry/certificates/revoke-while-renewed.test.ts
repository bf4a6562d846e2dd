import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { askRenewal, issueTo, newRequest, type RenewalScene } from '../../../test/issuing.ts';
import { NOW, openTokenScene } from '../../../test/token-scene.ts';
import { openPostgresStorage } from '../../database/postgres.ts';
import { openSqliteStorage } from '../../database/sqlite.ts';
import { testDatabases } from '../../database/test-databases.ts';
import type { Storage } from '../../storage/storage.ts';
import { readPem } from '../../x509/pem.ts';
import { cutOff } from '../cut-off.ts';
import { rotateCredential } from '../rotation/rotate.ts';
import { createTlsClient } from '../tls-client.ts';
import { revokeLine } from './revoke-line.ts';

const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const databases = server === undefined ? undefined : testDatabases(server);
const folder = mkdtempSync(join(tmpdir(), 'countersign-renewals-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await databases?.dropAll();
});

let files = 0;
const clock = { now: () => NOW };
const BACKENDS = [
  ['SQLite', () => openSqliteStorage({ path: join(folder, `${++files}.db`), clock })],
  ['PostgreSQL', async () => openPostgresStorage({ url: (await databases?.create()) ?? '', clock })],
] as const satisfies readonly (readonly [string, () => Promise<Storage>])[];

const asked = { code: 'key_compromise', reason: 'stolen', actor: { identity: 'admin' } } as const;
const TRIES = 8;

async function rotated({ deps, storage, identity }: Omit<RenewalScene, 'call'>, id: string): Promise<void> {
  await storage.transaction(async (stores) => {
    const record = await stores.credentials.byId(id);
    if (record?.material.type !== 'tls_client_auth') throw new Error('no credential of certificates');
    const { field, value, ca, crl } = record.material;
    const tell = (): void => undefined;
    const asked = {
      by: 'administration',
      overlap: undefined,
      label: undefined,
      expiresAt: undefined,
    } as const;
    await rotateCredential(deps, stores, tell, { identity, record }, asked, async (more) => ({
      record: await createTlsClient(deps, stores, tell, identity, { field, value, ca, crl, ...more }),
    }));
  });
}

describe.each(BACKENDS)('a certificate that is renewed while its trust ends, on %s', (name, open) => {
  it.for(['revoked', 'cut off'] as const)('leaves nothing behind that counts: it is %s', async (how, ctx) => {
    if (name === 'PostgreSQL' && server === undefined)
      return ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await open();
    const scene = await openTokenScene({ clientCertificates: true }, undefined, async () => storage);
    try {
      let renewals = 0;
      for (let tried = 0; tried < TRIES; tried++) {
        const { chain, record } = await issueTo(scene);
        // Renewals serve a successor then that is not the thief's, and goes on.
        if (how === 'cut off') await rotated(scene, record.credentialId);
        const shown = readPem(chain, 'CERTIFICATE') ?? [];
        const renewing = Array.from({ length: 4 }, () => askRenewal(scene, shown, newRequest()));
        // Each try meets the renewals at another step; every other one when the first of them is through.
        if (tried % 2 === 1) await Promise.race(renewing);
        else await new Promise((resolve) => setTimeout(resolve, tried));
        const ending = storage.transaction(async (stores) => {
          const identity = await stores.identities.byId(scene.identity.id);
          if (identity === undefined) throw new Error('there is no such machine');
          if (how === 'revoked') {
            await revokeLine(scene.deps, stores, () => undefined, identity, record, asked);
            return;
          }
          const order = { kind: 'credential', id: record.credentialId, ...asked } as const;
          const deps = { ...scene.deps, compromiseKey: async () => false, lifetimes: { maximum: 3600 } };
          await cutOff(deps, stores, () => undefined, order);
        });
        const [answers] = await Promise.all([Promise.all(renewing), ending]);
        renewals += answers.filter(({ status }) => status === 200).length;
        const line = { certificateId: record.id };
        expect(await storage.certificates.descendants(line, NOW, 10)).toEqual([]);
      }
      // Not all of them were too late, or it proves nothing.
      expect(renewals).toBeGreaterThan(0);
      expect(scene.bugs).toEqual([]);
    } finally {
      await scene.close();
    }
  });
});
