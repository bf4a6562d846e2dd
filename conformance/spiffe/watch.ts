import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { FOLDER, toolchain, type ToolchainName } from '../foreign/install.ts';

const watching = new Set<ChildProcess>();

/**
 * Starts a foreign program that prints a line of JSON whenever it sees something, and gives those lines as they come. Where its
 * toolchain cannot be had the test is skipped with the reason, and fails under COUNTERSIGN_REQUIRE=all.
 */
export async function watchWith<Line>(
  context: TestContext,
  name: ToolchainName,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Line[]> {
  const installed = await toolchain(name);
  if ('absent' in installed) {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(installed.absent);
    return context.skip(installed.absent);
  }
  const [command = '', ...before] = installed.command;
  const child = spawn(command, [...before, ...args], {
    cwd: FOLDER,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  watching.add(child);
  child.once('exit', () => watching.delete(child));
  const lines: Line[] = [];
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    const whole = text.split('\n');
    text = whole.pop() ?? '';
    for (const line of whole) lines.push(JSON.parse(line) as Line);
  });
  return lines;
}

/** Ends those that this file has started and that are still there. */
export function stopWatching(): void {
  for (const child of watching) child.kill('SIGKILL');
}

export async function until(holds: () => boolean, withinMs = 15_000): Promise<void> {
  for (const end = Date.now() + withinMs; !holds(); ) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await sleep(25);
  }
}
