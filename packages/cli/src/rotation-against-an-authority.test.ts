// A rotation from end to end: fifty copies of a client that calls meanwhile, an authority, and time in hand.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, type ClientOptions, createClient, keyFile } from '@countersign/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const API = 'https://fraud.example';
const COPIES = 50;
const MINUTE = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'countersign-rotation-'));
const keyPath = join(folder, 'payments.pem');
let authority: RealAuthority;
let issuer: string;
let firstKey: string;

async function run(line: string): Promise<string> {
  const { code, out, err } = await authority.run(line.split(' '));
  expect(code, err).toBe(0);
  return out.trim();
}

/** Authority and clients share the clock that this moves. Timers of jobs come up one after another. */
function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}
async function letJobsRun(): Promise<void> {
  await vi.advanceTimersByTimeAsync(61_000);
  // What they do is real work on a real database.
  await new Promise((resolve) => setImmediate(resolve));
}

/** What the clock of this process says is not what Node writes into `Date`: without it clients go by their own. */
const undated: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init);
  const headers = new Headers(answer.headers);
  headers.delete('date');
  return new Response(answer.body, { status: answer.status, headers });
};

function copy(index: number, more: Partial<ClientOptions> = {}): Client {
  // The first random bytes name the copy, those that follow spread its refreshes.
  let asked = 0;
  const random = (bytes: number): Uint8Array =>
    asked++ === 0 ? new Uint8Array(bytes).fill(index) : Buffer.from(randomBytes(bytes));
  return createClient({
    issuer,
    clientId: 'payments',
    privateKey: firstKey,
    resource: API,
    fetch: undated,
    random,
    ...more,
  });
}

function randomBytes(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  authority = await startRealAuthority(folder, ['--http']);
  issuer = (JSON.parse(readFileSync(join(folder, '.countersign/ready.json'), 'utf8')) as { issuer: string })
    .issuer;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  firstKey = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  writeFileSync(keyPath, firstKey, { mode: 0o600 });
  writeFileSync(join(folder, 'public.jwk'), JSON.stringify(publicKey.export({ format: 'jwk' })));
  await run(`resource-servers create --identifier ${API} --name fraud --scope fraud:read`);
  await run(
    'identities create --name payments --id payments --owner ada --kind service --environment test --purpose tests --for 60d',
  );
  await run(
    `access create --identity payments --resource-server ${API} --scopes fraud:read --justification tests --for 60d`,
  );
}, 60_000);

afterAll(async () => {
  vi.useRealTimers();
  await authority?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('fifty copies move over while they call: no call fails, the straggler is named, the old key ends by itself', async () => {
  const old = await run(
    'credentials create payments --type private_key_jwt --for 50d --jwk-file public.jwk -o name',
  );
  const rotate = { store: keyFile(keyPath), every: 365 * 86_400 };
  const fleet = Array.from({ length: COPIES }, (_, index) => copy(index, { rotate }));
  const straggler = copy(200);
  const failures: unknown[] = [];
  const used = new Set<string>();
  let calls = 0;
  /** A call is good when the authority says so at that very moment. */
  const call = async (client: Client): Promise<void> => {
    calls++;
    try {
      const { accessToken } = await client.token();
      const { active, crd } = await client.introspect(accessToken);
      if (!active) failures.push('inactive');
      used.add(String(crd));
    } catch (error) {
      failures.push(error);
    }
  };
  const everybody = async (clients: readonly Client[]): Promise<void> => {
    used.clear();
    for (let at = 0; at < clients.length; at += 10) await Promise.all(clients.slice(at, at + 10).map(call));
  };

  // Time enough for the authority to have seen everybody who uses the key.
  await everybody([...fleet, straggler]);
  expect([...used]).toEqual([old]);

  const rotated = await (fleet[0] as Client).rotateKey();
  // Tokens are refreshed between 7.2 and 8.8 minutes after they were issued: so the copies move over one after another.
  for (const step of [7, 0.5, 0.5, 0.5, 0.5]) {
    pass(step * MINUTE);
    await everybody([...fleet, straggler]);
  }
  expect(readFileSync(keyPath, 'utf8')).not.toBe(firstKey);
  await everybody(fleet);
  expect([...used]).toEqual([rotated.credential]);

  await letJobsRun();
  const name = Buffer.alloc(16, 200).toString('base64url');
  type Shown = { state: string; moved: number; instances: { instance: string; state: string }[] };
  const shown = async (): Promise<Shown> =>
    JSON.parse(await run(`credentials rotation ${old} -o json`)) as Shown;
  await vi.waitFor(async () => expect(await shown()).toMatchObject({ state: 'moving', moved: COPIES }));
  expect((await shown()).instances.filter(({ state }) => state !== 'moved')).toMatchObject([
    { instance: name, state: 'waiting' },
  ]);

  // It is given the new key, and goes on under its name.
  const moved = [...fleet, copy(200, { rotate })];
  await straggler.close();
  pass(10 * MINUTE);
  await everybody(moved);
  // Whoever could have been seen with it would have been by now.
  pass(2 * 24 * 60 * MINUTE);
  await everybody(moved);
  const state = async (): Promise<string> =>
    (JSON.parse(await run(`credentials get ${old} -o json`)) as { state: string }).state;
  await vi.waitFor(
    async () => {
      await letJobsRun();
      expect(await state()).toBe('expired');
    },
    { timeout: 5000 },
  );
  pass(20 * MINUTE);
  await everybody(moved);
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(10 * COPIES);
  const told = await run('audit events --type credential.retired -o json');
  expect(told).toContain(old);
  await expect(copy(7).token()).rejects.toMatchObject({ error: 'invalid_client' });
  for (const client of moved) await client.close();
}, 60_000);
