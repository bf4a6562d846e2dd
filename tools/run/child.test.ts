import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const CHILD = new URL('./child.mjs', import.meta.url).href;

it('who is interrupted ends the step it is in, and begins no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-child-'));
  const told = join(folder, 'told');
  const step = (name: string): string =>
    `await run(process.execPath, ['-e', 'require("fs").appendFileSync(process.argv[1], "${name} "); setTimeout(() => {}, 60000)', ${JSON.stringify(told)}])`;
  const story = `import { endWithUs, run } from ${JSON.stringify(CHILD)};
    endWithUs(() => new Promise((resolve) => setTimeout(resolve, 500)));
    ${step('first')};
    ${step('second')};`;
  try {
    const program = spawn(process.execPath, ['--input-type=module', '-e', story], { stdio: 'ignore' });
    await expect.poll(() => readText(told), { timeout: 10_000 }).toBe('first ');
    program.kill('SIGINT');
    expect(await once(program, 'exit')).toEqual([130, null]);
    expect(readText(told)).toBe('first ');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
