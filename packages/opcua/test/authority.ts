// `countersign dev` as a process of its own, and its admin API as a script would use it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, fetchTrusting } from '@countersign/client';

const COMMAND = fileURLToPath(new URL('../../cli/bin/countersign.js', import.meta.url));
const START_WITHIN_MS = 60_000;

export interface Machine {
  readonly id: string;
  readonly clientId: string;
  readonly client: Client;
}

export interface Authority {
  readonly issuer: string;
  readonly fetch: typeof globalThis.fetch;
  /** The body of the answer, which must be good. */
  admin(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** Registers a server under this identifier. */
  resourceServer(identifier: string, scopes: readonly string[]): Promise<void>;
  /** An identity with a secret, which may use these scopes there. */
  machine(name: string, resource: string, scopes: readonly string[]): Promise<Machine>;
  close(): Promise<void>;
}

export async function startAuthority(): Promise<Authority> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-opcua-'));
  const readyFile = join(folder, 'ready.json');
  const args = [
    'dev',
    '--port',
    '0',
    '--data-dir',
    join(folder, 'data'),
    '--ready-file',
    readyFile,
    '--log-level',
    'silent',
  ];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:COUNTERSIGN_|VITEST|NODE_OPTIONS$)/.test(name)),
  );
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder, env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const until = Date.now() + START_WITHIN_MS;
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('the authority did not start');
    await sleep(25);
  }
  const ready = JSON.parse(readFileSync(readyFile, 'utf8'));
  const fetch = fetchTrusting(readFileSync(ready.ca_file, 'utf8'));
  const operator = createClient({
    issuer: ready.issuer,
    clientId: ready.admin.client_id,
    clientSecret: ready.admin.client_secret,
    resource: ready.admin.resource,
    fetch,
  });
  const clients: Client[] = [operator];

  async function admin(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await operator.fetch(`${ready.admin.api}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text === '' ? {} : JSON.parse(text);
  }

  const later = new Date(Date.now() + 30 * 86_400_000).toISOString();
  return {
    issuer: ready.issuer,
    fetch,
    admin,
    async resourceServer(identifier, scopes) {
      const named = scopes.map((name) => ({ name, description: `may ${name}`, sensitivity: 1 }));
      await admin('POST', '/resource-servers', { identifier, name: 'Press 7', scopes: named });
    },
    async machine(name, resource, scopes) {
      const owner = { person: 'robin@example.com', backup: 'kim@example.com', team: 'plant' };
      const about = { kind: 'device', environment: 'test', purpose: 'tests', owner, expires_at: later };
      const { id, client_id: clientId } = await admin('POST', '/identities', { name, ...about });
      const { secret } = await admin('POST', `/identities/${String(id)}/credentials`, {
        type: 'client_secret',
      });
      const why = { justification: 'tests', expires_at: later };
      await admin('POST', '/access', { identity: id, resource_server: resource, scopes, ...why });
      const client = createClient({
        issuer: ready.issuer,
        clientId: String(clientId),
        clientSecret: String(secret),
        fetch,
      });
      clients.push(client);
      return { id: String(id), clientId: String(clientId), client };
    },
    async close() {
      for (const client of clients) await client.close();
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
