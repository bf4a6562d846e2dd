import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { fencesOf } from './fences.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'countersign-test-kit-')));
afterAll(() => rmSync(folder, { recursive: true }));

it('the test on the page about tests passes as it stands there', async () => {
  const page = readFileSync(join(ROOT, 'docs/guide/test-an-api.md'), 'utf8');
  const programs = fencesOf(page).filter(({ language }) => language === 'js');
  expect(programs).toHaveLength(1);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'cases.test.mjs'), programs[0]?.code ?? '');
  const report = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      ['--test', '--test-reporter=tap', 'cases.test.mjs'],
      { cwd: folder },
      (_error, stdout) => resolve(stdout),
    );
  });
  expect(report).toMatch(/^# pass 4$/m);
  expect(report).toMatch(/^# fail 0$/m);
});
