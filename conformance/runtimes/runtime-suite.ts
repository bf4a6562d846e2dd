import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectToken } from '../wire/expectations.ts';
import { send } from '../wire/exchange.ts';
import { seedScene, type SeededScene } from '../wire/scene.ts';
import { currentTarget } from '../wire/target.ts';
import { askToken } from '../wire/token-request.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/deno-bun/', import.meta.url));
const CUT_OFF_WITHIN_MS = 2000;

/** Another runtime than Node, and how it runs a program. */
export interface Runtime {
  readonly name: string;
  /** Of the environment: its path. */
  readonly variable: string;
  readonly args: readonly string[];
}

/** The SDKs in another runtime, against the real authority: an API and its caller, as examples/deno-bun has them. */
export function testRuntime({ name, variable, args }: Runtime): void {
  const program = process.env[variable] ?? '';
  if (program === '' && process.env['COUNTERSIGN_REQUIRE'] === 'all')
    throw new Error(`${variable} is not set`);
  const can = program !== '' && currentTarget().admin !== undefined;

  describe.runIf(can)(`the SDKs on ${name} (needs ${name})`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-runtime-'));
    let scene: SeededScene;
    let api: ChildProcess;
    let address: string;
    let env: Record<string, string>;

    beforeAll(async () => {
      scene = await seedScene('runtime');
      const { issuer, caFile } = currentTarget();
      const readyFile = join(folder, 'ready.json');
      writeFileSync(readyFile, JSON.stringify({ issuer, ca_file: caFile }));
      env = {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        COUNTERSIGN_READY_FILE: readyFile,
        AUDIENCE: scene.resource,
      };
      api = spawn(program, [...args, `${EXAMPLE}reports-api.mjs`], { cwd: EXAMPLE, env });
      address = await firstLine(api);
    });
    afterAll(() => {
      api.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });

    /** Runs the caller to its end: what it printed. */
    const call = (method: string): Promise<string> => {
      const { id, secret } = scene.client;
      return new Promise((resolve) => {
        execFile(
          program,
          [...args, `${EXAMPLE}reader.mjs`, method, address],
          { cwd: EXAMPLE, timeout: 30_000, env: { ...env, CLIENT_ID: id, CLIENT_SECRET: secret } },
          (_error, stdout, stderr) => resolve(`${stdout}${stderr}`.trim()),
        );
      });
    };
    const show = async (token: string | undefined, method = 'GET'): Promise<string> => {
      const headers: [string, string][] = token === undefined ? [] : [['Authorization', `Bearer ${token}`]];
      const answer = await send(address, { method, headers });
      return `${answer.status} ${String(answer.headers['www-authenticate'] ?? '')}`.trim();
    };

    test('a client gets a token by client credentials, and the API takes it', async () => {
      expect(await call('GET')).toBe(`200 ${JSON.stringify({ caller: scene.client.id })}`);
      expect(await call('POST')).toBe('200 {"written":true}');
    });

    test('no token, a token that was tampered with, one without the scope, one for another API: refused', async () => {
      const { token } = expectToken(await askToken({ client: scene.client, params: { scope: 'read' } }));
      expect(await show(token)).toBe('200');
      expect(await show(undefined)).toBe('401 Bearer');
      expect(await show(`${token.slice(0, -4)}AAAA`)).toBe('401 Bearer error="invalid_token"');
      expect(await show(token, 'POST')).toBe('403 Bearer error="insufficient_scope", scope="write"');
      const other = await seedScene('runtime');
      const { token: foreign } = expectToken(await askToken({ client: other.client }));
      expect(await show(foreign)).toBe('401 Bearer error="invalid_token"');
    });

    test('who is cut off is refused within two seconds, and gets no other token', async () => {
      const { token } = expectToken(await askToken({ client: scene.client, params: { scope: 'read' } }));
      expect(await show(token)).toBe('200');
      const id = scene.machine.identityId;
      await scene.admin.must('POST', '/cutoffs', { kind: 'identity', id, reason: 'leaked' });
      const ordered = performance.now();
      let answer = '';
      while (!answer.startsWith('401') && performance.now() - ordered < CUT_OFF_WITHIN_MS) {
        answer = await show(token);
        await sleep(20);
      }
      expect(answer).toBe('401 Bearer error="invalid_token"');
      expect(await call('GET')).toContain('invalid_client');
    });
  });
}

/** What a program that stays up prints first. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [out, err] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (out.includes('\n')) resolve(out.slice(0, out.indexOf('\n')));
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${err.slice(-2000)}`)));
  });
}
