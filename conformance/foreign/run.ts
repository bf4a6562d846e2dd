import { execFile } from 'node:child_process';
import { beforeAll, expect, type TestContext } from 'vitest';
import { expectToken } from '../wire/expectations.ts';
import { seedOperator, seedScene } from '../wire/scene.ts';
import { openAdmin } from '../wire/admin.ts';
import type { AssertionKey } from '../wire/client-assertion.ts';
import type { ClientCredentials, Target } from '../wire/target.ts';
import { currentTarget } from '../wire/target.ts';
import { askToken } from '../wire/token-request.ts';
import { FOLDER, toolchain, type ToolchainName } from './install.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Loads and installs a toolchain before a file's tests, with the time that a cold one takes. */
export function prepare(name: ToolchainName): void {
  beforeAll(async () => {
    await toolchain(name);
  }, 180_000);
}

/**
 * Runs a foreign program. Where its toolchain cannot be had the test is skipped with the reason, and fails under
 * COUNTERSIGN_REQUIRE=all.
 */
export async function runForeign(
  context: TestContext,
  name: ToolchainName,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const installed = await toolchain(name);
  if ('absent' in installed) {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(installed.absent);
    return context.skip(installed.absent);
  }
  return runCommand([...installed.command, ...args], env);
}

/** Runs a command in the folder of the foreign programs, with an environment that has nothing of the test's own. */
export function runCommand(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const ca = currentTarget().caFile;
  const base = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LANG: 'C.UTF-8' };
  return new Promise((resolve) => {
    execFile(
      command[0] as string,
      command.slice(1),
      {
        cwd: FOLDER,
        timeout: 30_000,
        env: { ...base, ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca, CA_FILE: ca }), ...env },
      },
      (error, stdout, stderr) =>
        resolve({
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
          stdout,
          stderr,
        }),
    );
  });
}

/** The last line that a program printed, as JSON; its end must have been good. */
export function printed(outcome: Outcome): Record<string, unknown> {
  expect(outcome.code, outcome.stderr.slice(-1500)).toBe(0);
  return JSON.parse(outcome.stdout.trim().split('\n').pop() as string) as Record<string, unknown>;
}

/** What a caller's operator writes into its environment. */
export interface CallerEnvironment extends Record<string, string> {
  ISSUER: string;
  TOKEN_ENDPOINT: string;
  JWKS_URI: string;
  CLIENT_ID: string;
  CLIENT_SECRET: string;
  RESOURCE: string;
  SCOPE: string;
  API_URL: string;
}

/** A machine that may read identities, and the environment with which a foreign client acts as it. */
export async function seedCaller(stem: string): Promise<CallerEnvironment> {
  const target = currentTarget();
  const machine = await seedOperator(openAdmin(target), stem, ['identities:read']);
  return {
    ...addresses(target),
    ...proof(machine),
    RESOURCE: machine.resource,
    SCOPE: 'identities:read',
    API_URL: `${target.admin?.api}/identities?limit=1`,
  };
}

/** The same, where the machine has this key as well, registered under these terms. */
export async function seedKeyCaller(
  stem: string,
  key: AssertionKey,
  terms: Readonly<Record<string, unknown>> = {},
): Promise<CallerEnvironment> {
  const caller = await seedCaller(stem);
  const body = { type: 'private_key_jwt', jwk: key.jwk, ...terms };
  await openAdmin(currentTarget()).must('POST', `/identities/${caller.CLIENT_ID}/credentials`, body);
  return caller;
}

/** A token for a fresh API, and the environment with which a foreign library validates it. */
export async function seedToken(
  stem: string,
  alg: string = 'ES256',
  typ: string = 'at+jwt',
): Promise<Record<string, string>> {
  const target = currentTarget();
  const scene = await seedScene(stem);
  if (alg !== 'ES256' || typ !== 'at+jwt') {
    const body = { token: { signing_alg: alg, typ } };
    const path = `/resource-servers/${scene.resourceServerId}`;
    expect((await scene.admin.change('PATCH', path, body)).status).toBe(200);
  }
  const { token } = expectToken(await askToken({ client: scene.client }));
  return {
    ...addresses(target),
    RESOURCE: scene.resource,
    CLIENT_ID: scene.client.id,
    TOKEN: token,
    ALG: alg,
  };
}

function addresses(target: Target): { ISSUER: string; TOKEN_ENDPOINT: string; JWKS_URI: string } {
  return { ISSUER: target.issuer, TOKEN_ENDPOINT: target.tokenEndpoint, JWKS_URI: target.jwksUri };
}

function proof(client: ClientCredentials): { CLIENT_ID: string; CLIENT_SECRET: string } {
  return { CLIENT_ID: client.id, CLIENT_SECRET: client.secret };
}
