// RFC 7523 §2.2 from end to end: the admin of a new deployment leaves the secret of the first start behind.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-admin-key-'));
let authority: RealAuthority;
beforeAll(async () => {
  authority = await startRealAuthority(folder);
}, 60_000);
afterAll(async () => {
  await authority?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the fix of its finding works: a key is added, acts, and the secret is revoked with it', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'admin.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  writeFileSync(join(folder, 'admin.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const env = { COUNTERSIGN_CLIENT_ID: 'admin', COUNTERSIGN_PRIVATE_KEY_FILE: 'admin.key' };
  const early = await authority.run(['identities', 'list'], { env });
  expect(early.code, early.err).toBe(4);

  const add = ['credentials', 'create', 'admin', '--type', 'private_key_jwt', '--jwk-file', 'admin.pub'];
  const added = await authority.run(add);
  expect(added.code, added.err).toBe(0);
  const secrets = ['credentials', 'list', '--identity', 'admin', '--type', 'client_secret', '-o', 'name'];
  const listed = await authority.run(secrets, { env });
  expect(listed.code, listed.err).toBe(0);
  const ids = listed.out.trim().split('\n');
  expect(ids).toHaveLength(1);
  const revoked = await authority.run(['credentials', 'revoke', String(ids[0]), '--yes'], { env });
  expect(revoked.code, revoked.err).toBe(0);

  expect((await authority.run(['identities', 'list'])).code).toBe(4);
  const still = await authority.run(['token', 'get'], { env });
  expect(still.code, still.err).toBe(0);
});
