/**
 * Countersign as a contestant: started by its own command, filled through its own admin API.
 */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { addressed, awaitFrom, idleMegabytes, launch } from './contestant.mjs';
import { root } from './machine.mjs';

export const command = join(root, 'packages/cli/bin/countersign.js');

/** Loopback, no TLS; any free port unless told. */
const listen = (port = 0) => ['dev', '--http', '--port', String(port)];

/** True when this checkout has been built far enough to start. */
export const isBuilt = () =>
  ['cli', 'server'].every((name) => existsSync(join(root, 'packages', name, 'dist/main.js')));

/** A folder of its own for one authority; the caller removes it. */
export const freshFolder = () => mkdtempSync(join(tmpdir(), 'countersign-bench-'));

/**
 * Starts `countersign dev --http` and waits for its ready file.
 * @param {{dataDir: string, port?: number, database?: string, prefix?: string[], nodeFlags?: string[]}} options
 * @returns {Promise<{ready: any, seconds: number, stop: () => Promise<void>}>} seconds from the start of the process
 *   to the ready file
 */
export async function startAuthority(options) {
  const readyFile = join(options.dataDir, 'bench-ready.json');
  rmSync(readyFile, { force: true });
  const started = performance.now();
  const database = options.database === undefined ? [] : ['--database', options.database];
  const program = launch(
    [
      ...(options.prefix ?? []),
      process.execPath,
      ...(options.nodeFlags ?? []),
      command,
      ...listen(options.port),
      '--data-dir',
      options.dataDir,
      '--ready-file',
      readyFile,
      ...database,
    ],
    { cwd: options.dataDir },
  );
  const ready = await awaitFrom(program, () => readWhole(readyFile), 2);
  return { ready, seconds: (performance.now() - started) / 1000, stop: program.stop };
}

/** A JSON file such as a ready file, or undefined while it is absent or half written. */
export function readWhole(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Calls the admin API as the administrator of the ready file.
 * @param {any} ready
 * @returns {Promise<(path: string, body?: object) => Promise<any>>} POST under `/v1`; throws on anything but 2xx
 */
export async function administrator(ready) {
  const { client_id: id, client_secret: secret, resource, api } = ready.admin;
  const answer = await fetch(ready.token_endpoint, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  const token = await answer.json();
  if (!answer.ok)
    throw new Error(`the administrator got no token: ${answer.status} ${JSON.stringify(token)}`);
  return async (path, body) => {
    const response = await fetch(`${api}${path}`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token.access_token}`,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
}

/**
 * Makes one resource server and `count` identities that each hold a secret and access to it.
 * @param {any} ready
 * @param {number} count
 * @param {boolean} [keys] give each identity a P-256 key as well
 * @returns {Promise<{resource: string, scope: string, clients: {client_id: string, client_secret: string, jwk?: object}[]}>}
 */
export async function fill(ready, count, keys = false) {
  const post = await administrator(ready);
  const end = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const resource = 'https://api.bench.example/';
  await post('/resource-servers', {
    identifier: resource,
    name: 'Bench',
    scopes: [
      { name: 'read', description: 'Read', sensitivity: 0 },
      { name: 'list', description: 'List', sensitivity: 0 },
    ],
    token: { lifetime: 600, signing_alg: 'ES256' },
    sender_constraint: 'none',
  });
  const clients = [];
  for (let at = 0; at < count; at++) {
    const identity = await post('/identities', {
      name: `bench ${at}`,
      client_id: `bench-${at}`,
      kind: 'service',
      environment: 'prod',
      purpose: 'Asks for tokens as fast as it can',
      owner: { person: 'bench@bench.example', backup: 'bench', team: 'benchers' },
      expires_at: end,
    });
    const credential = await post(`/identities/${identity.id}/credentials`, { type: 'client_secret' });
    await post('/access', {
      identity: identity.id,
      resource_server: resource,
      scopes: ['read', 'list'],
      justification: 'The bench',
      expires_at: end,
    });
    const pair = keys ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : undefined;
    if (pair !== undefined) {
      const jwk = pair.publicKey.export({ format: 'jwk' });
      await post(`/identities/${identity.id}/credentials`, { type: 'private_key_jwt', jwk });
    }
    clients.push({
      client_id: identity.client_id,
      client_secret: credential.secret,
      jwk: pair?.privateKey.export({ format: 'jwk' }),
    });
  }
  return { resource, scope: 'read list', clients };
}

/**
 * A database of its own on the PostgreSQL server of `url`; `drop` removes it.
 * @param {string} url an administrator's connection string
 */
export async function freshPostgresDatabase(url) {
  const { default: pg } = await import('pg');
  const name = `countersign_bench_${process.pid}_${Date.now().toString(36)}`;
  const run = async (sql) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await run(`CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/**
 * A filled authority as a contestant.
 * @param {string} name
 * @param {{prefix: string[], clients: number, keys?: boolean, postgres?: string, nodeFlags?: string[], prepare?: Function}} options
 *   postgres: connection string of a server on which a database may be made; without it the embedded database is used;
 *   prepare: called with the ready file and what was filled, before the load
 * @returns {Promise<import('./contestant.mjs').Contestant>}
 */
export async function startCountersign(name, options) {
  const dataDir = freshFolder();
  const postgres = options.postgres === undefined ? undefined : await freshPostgresDatabase(options.postgres);
  const cleanUp = async () => {
    await postgres?.drop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const database = postgres === undefined ? {} : { database: postgres.url };
    const authority = await startAuthority({ ...options, dataDir, ...database });
    const idle = await idleMegabytes(authority.ready.pid);
    const stop = async () => {
      await authority.stop();
      await cleanUp();
    };
    try {
      const filled = await fill(authority.ready, options.clients, options.keys);
      await options.prepare?.(authority.ready, filled);
      const { token_endpoint, pid } = authority.ready;
      const issuer = options.keys === true ? authority.ready.issuer : undefined;
      return { name, pid, ...addressed({ token_endpoint, issuer, ...filled }), idle, stop };
    } catch (error) {
      await authority.stop();
      throw error;
    }
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
