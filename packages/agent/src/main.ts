// The command countersign-agent: flags, signals, exit codes.
import { rm } from 'node:fs/promises';
import { writeReadyFile } from '@countersign/protocol/ready-file';
import { stopSignal } from '@countersign/protocol/stop-signal';
import { startAgent } from './agent.ts';
import type { ReadyFile } from './ready-file.ts';
import { clientOf, readSettings, USAGE, UsageError } from './settings.ts';
import { VERSION } from './version.ts';

/** Runs the command. Exit codes as those of `countersign`: 0 ok, 1 failure, 2 usage. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const asked = readSettings(args, process.env);
  if (asked.kind !== 'run') {
    process.stdout.write(asked.kind === 'help' ? USAGE : `${VERSION}\n`);
    return;
  }
  const stopping = stopSignal();
  const client = clientOf(asked.client);
  const agent = await startAgent({
    issuer: asked.client.issuer,
    client,
    socket: asked.socket,
    everyMs: asked.everyMs,
    now: () => Date.now(),
    random: () => Math.random(),
    report: (text) => process.stderr.write(`${new Date().toISOString()} ${text}\n`),
  });
  const { readyFile } = asked;
  const stopped = new AbortController();
  void stopping.then(() => stopped.abort());
  await agent.heard(stopped.signal);
  if (readyFile !== undefined && !stopped.signal.aborted) {
    const ready: ReadyFile = { pid: process.pid, version: VERSION, endpoint_socket: agent.endpoint };
    await writeReadyFile(readyFile, ready);
  }
  await stopping;
  await agent.stop();
  await client.close();
  if (readyFile !== undefined) await rm(readyFile, { force: true });
  process.exit(0);
}
