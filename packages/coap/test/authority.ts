// A real authority: `countersign dev` as it is built, in a process of its own, with one resource server for CBOR tokens.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  ACE,
  CNF,
  type CborMap,
  type CborValue,
  decodeStrict,
  encodeCbor,
  INTROSPECTION,
  readCose,
  readCwtClaims,
} from '@countersign/cose';
import { fetchTrusting } from '@countersign/resource-server';

const COMMAND = fileURLToPath(new URL('../../cli/bin/countersign.js', import.meta.url));
export const BUILT: boolean =
  existsSync(COMMAND) && existsSync(fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url)));
export const LOCK = 'coaps://lock.test';
const OWNER = { person: 'ada@example.com', backup: 'bob@example.com', team: 'devices' };

export interface Device {
  readonly id: string;
  /** Id of its credential. */
  readonly credential: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface DeviceTerms {
  readonly resource?: string;
  /** Seconds. */
  readonly tokenLifetime?: number;
}

export interface AceAnswer {
  readonly status: number;
  readonly map: CborMap;
}

export interface DeviceToken {
  readonly token: Uint8Array;
  readonly kid: Uint8Array;
  readonly key: Uint8Array;
  readonly jti: string;
}

export interface TestAuthority {
  readonly issuer: string;
  readonly fetch: typeof globalThis.fetch;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
  admin(method: string, path: string, body?: unknown): Promise<any>;
  /** An identity with a client secret and access to these scopes of the lock. */
  device(name: string, scopes: readonly string[], more?: DeviceTerms): Promise<Device>;
  ask(device: Device, more?: readonly (readonly [number, CborValue])[]): Promise<AceAnswer>;
  /** One whose key a command line can carry. */
  token(device: Device, scope?: string, resource?: string): Promise<DeviceToken>;
  /** Another for the key that the device has. */
  renew(device: Device, current: DeviceToken, scope: string): Promise<DeviceToken>;
  introspect(device: Device, token: Uint8Array): Promise<CborMap>;
  revoke(device: Device, token: Uint8Array): Promise<void>;
  stop(): Promise<void>;
}

export async function startAuthority(): Promise<TestAuthority> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-coap-'));
  const readyFile = join(folder, 'ready.json');
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:COUNTERSIGN_|VITEST|NODE_OPTIONS$)/.test(name),
  );
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
  const child: ChildProcess = spawn(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(kept), NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
  for (let waited = 0; !existsSync(readyFile); waited += 20) {
    if (child.exitCode !== null || waited > 60_000) throw new Error(`the authority did not start: ${errors}`);
    await sleep(20);
  }
  const ready = JSON.parse(readFileSync(readyFile, 'utf8'));
  const fetch = fetchTrusting(readFileSync(ready.ca_file, 'utf8'));
  let bearer = '';
  let bearerUntil = 0;

  async function adminToken(): Promise<string> {
    if (Date.now() < bearerUntil) return bearer;
    const basic = Buffer.from(`${ready.admin.client_id}:${ready.admin.client_secret}`).toString('base64');
    const response = await fetch(ready.token_endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=client_credentials&resource=${encodeURIComponent(ready.admin.resource)}`,
    });
    const { access_token: token, expires_in: seconds } = (await response.json()) as {
      access_token: string;
      expires_in: number;
    };
    bearer = token;
    bearerUntil = Date.now() + (seconds / 2) * 1000;
    return bearer;
  }

  const authority: TestAuthority = {
    issuer: ready.issuer,
    fetch,
    async admin(method, path, body) {
      const response = await fetch(`${ready.admin.api}${path}`, {
        method,
        headers: { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async device(name, scopes, { resource = LOCK, tokenLifetime } = {}) {
      const expires = new Date(Date.now() + 80 * 86_400_000).toISOString();
      const identity = await authority.admin('POST', '/identities', {
        name,
        kind: 'device',
        environment: 'test',
        purpose: 'a device in a test',
        owner: OWNER,
        expires_at: expires,
      });
      const credential = await authority.admin('POST', `/identities/${identity.id}/credentials`, {
        type: 'client_secret',
      });
      await authority.admin('POST', '/access', {
        identity: identity.id,
        resource_server: resource,
        scopes,
        justification: 'a test',
        expires_at: expires,
        ...(tokenLifetime === undefined ? {} : { token_lifetime: tokenLifetime }),
      });
      return {
        id: identity.id,
        credential: credential.id,
        clientId: identity.client_id,
        clientSecret: credential.secret,
      };
    },
    async ask({ clientId, clientSecret }, more = []) {
      const body = encodeCbor(
        new Map<number, CborValue>([
          [ACE.clientId, clientId],
          [ACE.clientSecret, Buffer.from(clientSecret)],
          ...more,
        ]),
      );
      const response = await fetch(ready.token_endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/ace+cbor' },
        body: Uint8Array.from(body),
      });
      const read = decodeStrict(new Uint8Array(await response.arrayBuffer()), {
        maxBytes: 4096,
        maxDepth: 6,
      });
      if (!read.ok) throw new Error(`the answer (${response.status}) is no CBOR: ${read.fault}`);
      return { status: response.status, map: read.value as CborMap };
    },
    async token(device, scope, resource = LOCK) {
      const asked: [number, CborValue][] = [[ACE.audience, resource]];
      if (scope !== undefined) asked.push([ACE.scope, scope]);
      for (;;) {
        const { status, map } = await authority.ask(device, asked);
        if (status !== 201) throw new Error(`no token: ${status} ${String(map.get(ACE.errorDescription))}`);
        const cnf = (map.get(ACE.cnf) as CborMap).get(1) as CborMap;
        const key = cnf.get(-1) as Uint8Array;
        // A C program takes its key from a command line, where a zero byte ends it.
        if (key.includes(0)) continue;
        const token = map.get(ACE.accessToken) as Uint8Array;
        return { token, kid: cnf.get(2) as Uint8Array, key, jti: jtiOf(token) };
      }
    },
    async renew(device, { kid, key }, scope) {
      const asked: [number, CborValue][] = [
        [ACE.audience, LOCK],
        [ACE.scope, scope],
        [ACE.reqCnf, new Map([[CNF.kid, kid]])],
      ];
      const { status, map } = await authority.ask(device, asked);
      if (status !== 201) throw new Error(`not renewed: ${status} ${String(map.get(ACE.errorDescription))}`);
      const token = map.get(ACE.accessToken) as Uint8Array;
      return { token, kid, key, jti: jtiOf(token) };
    },
    async introspect({ clientId, clientSecret }, token) {
      const body = encodeCbor(
        new Map<number, CborValue>([
          [INTROSPECTION.token, token],
          [ACE.clientId, clientId],
          [ACE.clientSecret, Buffer.from(clientSecret)],
        ]),
      );
      const response = await fetch(`${ready.issuer}/oauth/introspect`, {
        method: 'POST',
        headers: { 'content-type': 'application/ace+cbor' },
        body: Uint8Array.from(body),
      });
      const answer = new Uint8Array(await response.arrayBuffer());
      const read = decodeStrict(answer, { maxBytes: 4096, maxDepth: 6 });
      if (!read.ok) throw new Error(`the answer (${response.status}) is no CBOR: ${read.fault}`);
      return read.value as CborMap;
    },
    async revoke({ clientId, clientSecret }, token) {
      const form = {
        token: Buffer.from(token).toString('base64url'),
        client_id: clientId,
        client_secret: clientSecret,
      };
      const response = await fetch(`${ready.issuer}/oauth/revoke`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: String(new URLSearchParams(form)),
      });
      if (!response.ok) throw new Error(`not revoked: ${response.status}`);
    },
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await authority.admin('POST', '/resource-servers', {
    identifier: LOCK,
    name: 'lock',
    scopes: ['lock:read', 'lock:write', 'tokens:derive'].map((name) => ({ name })),
    token: { format: 'cwt' },
  });
  return authority;
}

function jtiOf(token: Uint8Array): string {
  const cose = readCose(token);
  const read = cose.ok ? readCwtClaims(cose.message.body) : undefined;
  if (read?.ok !== true) throw new Error('the token cannot be read');
  return Buffer.from(read.claims.cti).toString('base64url');
}
