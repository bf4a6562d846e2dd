import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { readReadyFile, startAuthority, targetOf } from './authority-process.ts';
import { findSecrets } from './wire/leaks.ts';
import { send, jsonOf } from './wire/exchange.ts';
import type { Target } from './wire/target.ts';

/** Finds the server under test, or starts one for this run. See README.md for the variables. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const found = await fromEnvironment();
  if (found !== undefined) {
    project.provide('target', found);
    return async () => undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'countersign-conformance-'));
  const canaries = join(folder, 'canaries.txt');
  writeFileSync(canaries, '', { mode: 0o600 });
  const authority = await startAuthority({ folder, args: ['--mtls-port', '0'] }).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const admin = authority.target.admin;
  if (admin !== undefined) writeFileSync(canaries, `${admin.client.secret}\n`);
  project.provide('target', {
    ...authority.target,
    own: { pid: authority.ready.pid, dataDir: authority.dataDir, logFile: authority.logFile, canaries },
  });
  return async () => {
    await authority.stop();
    const secrets = readFileSync(canaries, 'utf8').split('\n').filter(Boolean);
    const leaks = findSecrets(secrets, [authority.dataDir, authority.logFile]);
    rmSync(folder, { recursive: true, force: true });
    if (leaks.length > 0)
      throw new Error(`secrets of this run were found in clear:\n${leaks.slice(0, 20).join('\n')}`);
  };
}

async function fromEnvironment(): Promise<Target | undefined> {
  const env = process.env;
  const readyFile = env['COUNTERSIGN_READY_FILE'];
  if (readyFile !== undefined) {
    const ready = readReadyFile(readyFile);
    if (ready === undefined) throw new Error(`COUNTERSIGN_READY_FILE: no ready file at ${readyFile}`);
    return targetOf(ready, env['COUNTERSIGN_ADMIN_SECRET']);
  }
  const issuer = env['COUNTERSIGN_ISSUER'];
  if (issuer === undefined) return undefined;
  const need = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`${name} is needed beside COUNTERSIGN_ISSUER`);
    return value;
  };
  const caFile = env['COUNTERSIGN_CA_FILE'];
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8'), caFile };
  const metadata = await discover(issuer, 'ca' in ca ? ca.ca : undefined);
  const resource = env['COUNTERSIGN_RESOURCE'];
  return {
    issuer,
    tokenEndpoint: String(metadata['token_endpoint']),
    jwksUri: String(metadata['jwks_uri']),
    ...ca,
    given: {
      client: { id: need('COUNTERSIGN_CLIENT_ID'), secret: need('COUNTERSIGN_CLIENT_SECRET') },
      scopes: need('COUNTERSIGN_SCOPE').split(' '),
      ...(resource === undefined ? {} : { resource }),
    },
  };
}

/** RFC 8414 section 3: the path is inserted; OpenID Connect appends it. Either will do to find the endpoints. */
async function discover(issuer: string, ca: string | undefined): Promise<Record<string, unknown>> {
  const at = new URL(issuer);
  const path = at.pathname === '/' ? '' : at.pathname;
  for (const url of [
    `${at.origin}/.well-known/oauth-authorization-server${path}`,
    `${at.origin}${path}/.well-known/openid-configuration`,
  ]) {
    const answer = await send(url, { ca });
    if (answer.status === 200) return jsonOf(answer);
  }
  throw new Error(`${issuer} serves no metadata`);
}
