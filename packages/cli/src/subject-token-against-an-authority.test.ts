// RFC 7523 §2.1 from end to end: a workload with nothing but the rotating token of its cluster, and an authority that trusts it.
import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, fetchTrusting, kubernetesToken } from '@countersign/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const CLUSTER = 'https://cluster.example';
const API = 'https://fraud.example';
const folder = mkdtempSync(join(tmpdir(), 'countersign-subject-'));
const tokenFile = join(folder, 'token');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let authority: RealAuthority;
let issuer: string;
let client: Client;

async function run(line: string): Promise<void> {
  const { code, err } = await authority.run(line.split(' '));
  expect(code, err).toBe(0);
}

/** What the kubelet does: the file is written anew, with the next token. */
function rotate(uid: string): void {
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: CLUSTER,
    sub: 'system:serviceaccount:pay:deploy',
    aud: [issuer],
    iat,
    exp: iat + 600,
    jti: randomUUID(),
    'kubernetes.io': { namespace: 'pay', serviceaccount: { name: 'deploy', uid } },
  };
  const input = [{ alg: 'ES256', kid: 'k1' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  writeFileSync(tokenFile, `${input}.${signature.toString('base64url')}\n`);
}

async function trust(body: object, send: typeof fetch): Promise<void> {
  const clientSecret = readFileSync(join(folder, '.countersign/admin.secret'), 'utf8').trim();
  const resource = `${issuer}/v1`;
  const text = readFileSync(join(folder, '.countersign/ready.json'), 'utf8');
  const { admin } = JSON.parse(text) as { readonly admin: { readonly client_id: string } };
  const caller = createClient({ issuer, clientId: admin.client_id, clientSecret, resource, fetch: send });
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await caller.fetch(`${resource}/trusted-issuers`, init);
  expect(response.status, await response.text()).toBe(201);
  await caller.close();
}

beforeAll(async () => {
  authority = await startRealAuthority(folder);
  const text = readFileSync(join(folder, '.countersign/ready.json'), 'utf8');
  const ready = JSON.parse(text) as Record<string, string>;
  issuer = ready['issuer'] ?? '';
  const send = fetchTrusting(readFileSync(ready['ca_file'] ?? '', 'utf8'));
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const keys = [{ ...jwk, kid: 'k1', alg: 'ES256', use: 'sig' }];
  await run(`resource-servers create --identifier ${API} --name fraud --scope fraud:read=scores`);
  await run(
    'identities create --name deploy --id deploy --owner ada --kind service --environment test --purpose tests --for 30d',
  );
  await run(
    `access create --identity deploy --resource-server ${API} --scopes fraud:read --justification tests --for 30d`,
  );
  await trust({ issuer: CLUSTER, name: 'cluster', kind: 'kubernetes', jwks: { keys } }, send);
  await run(
    `credentials create deploy --type federated --trusted-issuer ${CLUSTER} --condition /kubernetes.io/namespace=pay --condition /kubernetes.io/serviceaccount/uid=u-1`,
  );
  client = createClient({
    issuer,
    subjectToken: kubernetesToken(tokenFile),
    resource: API,
    fetch: send,
  });
}, 60_000);

afterAll(async () => {
  await client?.close();
  await authority?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a pod gets tokens with its projected token, and another account gets none', async () => {
  rotate('u-2');
  await expect(client.token()).rejects.toMatchObject({ code: 'refused', error: 'invalid_grant' });
  rotate('u-1');
  const token = await client.token();
  const [, payload = ''] = token.accessToken.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  expect(claims).toMatchObject({ aud: API, client_id: 'deploy', scope: 'fraud:read' });
  rotate('u-2');
  expect(await client.token()).toBe(token);
  await expect(client.token({ scope: 'fraud:read' })).rejects.toMatchObject({ error: 'invalid_grant' });
});
