// Use from end to end: a caller, an API that counts what its guards required and reports it, an authority, and who asks it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, fetchTrusting } from '@countersign/client';
import { createVerifier } from '@countersign/resource-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const API = 'https://fraud.example';
const folder = mkdtempSync(join(tmpdir(), 'countersign-usage-'));
let authority: RealAuthority;
let issuer: string;
let send: typeof fetch;

async function run(line: string): Promise<string> {
  const { code, out, err } = await authority.run(line.split(' '));
  expect(code, err).toBe(0);
  return out;
}

const identity = async (name: string): Promise<void> => {
  await run(
    `identities create --name ${name} --id ${name} --owner ada --kind service --environment test --purpose tests --for 30d`,
  );
  await run(`credentials create ${name} --type client_secret --secret-file ${join(folder, name)}`);
};
const access = (name: string, api: string, scopes: string): Promise<string> =>
  run(
    `access create --identity ${name} --resource-server ${api} --scopes ${scopes} --justification tests --for 30d -o name`,
  );
const clientOf = (clientId: string) =>
  createClient({
    issuer,
    clientId,
    clientSecret: readFileSync(join(folder, clientId), 'utf8').trim(),
    fetch: send,
  });

beforeAll(async () => {
  authority = await startRealAuthority(folder);
  const ready = JSON.parse(readFileSync(join(folder, '.countersign/ready.json'), 'utf8')) as Record<
    string,
    string
  >;
  issuer = ready['issuer'] ?? '';
  send = fetchTrusting(readFileSync(ready['ca_file'] ?? '', 'utf8'));
  await run(
    `resource-servers create --identifier ${API} --name fraud --scope fraud:read --scope fraud:write --scope usage:write`,
  );
  await identity('fraud-api');
  await identity('payments');
}, 60_000);

afterAll(async () => {
  await authority?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('what an API lets through is used, at the authority, also after it was restarted', async () => {
  const id = (await access('payments', API, 'fraud:read,fraud:write')).trim();
  const failures: unknown[] = [];
  const verifierFor = () =>
    createVerifier({
      issuer,
      audience: API,
      fetch: send,
      usage: { client: clientOf('fraud-api'), onFailure: (error) => failures.push(error) },
    });
  const calls = async (): Promise<void> => {
    const verifier = verifierFor();
    const caller = clientOf('payments');
    const { accessToken } = await caller.token({ resource: API, scope: 'fraud:read' });
    expect((await verifier.verify(accessToken, { scope: 'fraud:read' })).ok).toBe(true);
    expect((await verifier.verify(accessToken, { scope: 'fraud:write' })).ok).toBe(false);
    await Promise.all([verifier.close(), caller.close()]);
  };
  const scopes = async (): Promise<unknown> => {
    const shown = JSON.parse(await run(`access show ${id} -o json`)) as {
      usage: { scopes: { scope: string; state: string; ok: number; denied: number }[] };
    };
    return shown.usage.scopes.map(({ scope, state, ok, denied }) => [scope, state, ok, denied]);
  };

  await calls();
  expect(failures, 'nobody may report yet').toHaveLength(1);
  expect(await scopes()).toEqual([
    ['fraud:read', 'unknown', 0, 0],
    ['fraud:write', 'unknown', 0, 0],
  ]);
  await access('fraud-api', API, 'usage:write');
  await access('fraud-api', `${issuer}/v1`, 'usage:write');
  await calls();
  expect(failures).toHaveLength(1);
  const used = [
    ['fraud:read', 'used', 1, 0],
    ['fraud:write', 'unknown', 0, 1],
  ];
  expect(await scopes()).toEqual(used);
  expect(await run(`access show ${id} --within 12h`)).toMatch(
    /SCOPE +USE +LAST USED[^]*fraud:read +used +20/,
  );
  expect(await run('access list --used-within 1d --identity payments -o name')).toBe(`${id}\n`);
  expect(await run('access list --unused-for 1s --identity payments -o name')).toBe('');

  const [credential] = JSON.parse(await run('credentials list --identity payments -o json')) as {
    usage: { state: string; last_token: string | null; last_call: string | null };
  }[];
  expect(credential?.usage).toMatchObject({ state: 'used' });
  expect(credential?.usage.last_token).toMatch(/^20/);
  expect(credential?.usage.last_call).toMatch(/^20/);

  await authority.stop();
  authority = await startRealAuthority(folder, ['--port', new URL(issuer).port]);
  expect(await scopes()).toEqual(used);
}, 60_000);
