import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fake-host.ts';
import { startRealAuthority } from '../../test/real-authority.ts';

test('whoever holds the host gets back in, and the lost secret is worth nothing', async () => {
  const folder = temporaryFolder();
  const first = await startRealAuthority(folder);
  expect((await first.run(['identities', 'list'])).code).toBe(0);
  expect(await first.stop()).toBe(0);
  const file = join(folder, '.countersign/admin.secret');
  const lost = readFileSync(file, 'utf8');
  const reset = await first.run(['admin', 'reset', '--data-dir', join(folder, '.countersign')]);
  expect(reset).toMatchObject({ code: 0, err: `The new secret of admin is in ${file} (mode 0600).\n` });
  expect(JSON.parse(reset.out)).toEqual({ client_id: 'admin', secret_file: file });
  const made = readFileSync(file, 'utf8');
  expect(made).not.toBe(lost);
  const second = await startRealAuthority(folder);
  expect((await second.run(['identities', 'list'])).code).toBe(0);
  writeFileSync(join(folder, 'lost.secret'), lost);
  expect((await second.run(['identities', 'list', '--client-secret-file', 'lost.secret'])).code).toBe(4);
  expect(await second.stop()).toBe(0);
});
