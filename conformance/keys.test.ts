import type { JsonWebKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startAuthority, type RunningAuthority } from './authority-process.ts';
import { openAdmin, type Admin } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { decodeJwt, es256Verifies } from './wire/jwt.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Signing keys: published before they sign, kept over a restart, and gone at once when one is stolen. In a process of its own.
describe.runIf(mayStartServers())('signing keys (needs the countersign command)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
  let authority: RunningAuthority;
  let admin: Admin;
  let scene: SeededScene;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    authority = await startAuthority({ folder, port });
    admin = openAdmin(authority.target);
    scene = await seedScene('keys', authority.target);
  });
  afterAll(async () => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function published(): Promise<JsonWebKey[]> {
    const { target } = authority;
    return jsonOf(await send(target.jwksUri, { ca: target.ca }))['keys'] as JsonWebKey[];
  }

  async function freshToken(): Promise<{ token: string; kid: string }> {
    const { token } = expectToken(await askToken({ target: authority.target, client: scene.client }));
    return { token, kid: String(decodeJwt(token).header['kid']) };
  }

  test('threat 44: the next key is published before it signs', async () => {
    const keys = (await admin.must('GET', '/keys'))['items'] as Record<string, unknown>[];
    const states = keys
      .filter(({ alg, purpose }) => alg === 'ES256' && purpose === 'tokens')
      .map((key) => key['state']);
    expect(states).toContain('active');
    expect(states).toContain('next');
    const kids = (await published()).map((key) => key['kid']);
    for (const key of keys.filter(({ purpose }) => purpose === 'tokens')) expect(kids).toContain(key['kid']);
  });

  test('threat 44: a key that verifiers cannot know yet does not take over', async () => {
    const before = await freshToken();
    const answer = await admin.call('POST', '/keys/rotate', { body: {} });
    expectProblem(answer, 409);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await freshToken()).kid).toBe(before.kid);
  });

  test('threat 44: a restart keeps the keys: tokens from before still verify', async () => {
    const before = await freshToken();
    const adminBefore = await admin.token();
    expect(await authority.stop()).toBe(0);
    authority = await startAuthority({ folder, port, adminSecret: admin.target.admin?.client.secret });
    admin = openAdmin(authority.target);
    const key = (await published()).find((each) => each['kid'] === before.kid);
    expect(key !== undefined && es256Verifies(before.token, key)).toBe(true);
    expect((await freshToken()).kid).toBe(before.kid);
    expect((await admin.call('GET', '/keys', { token: adminBefore })).status).toBe(200);
  });

  test('a stolen key is cut off: it signs no more, its tokens are refused, and new ones are good', async () => {
    const before = await freshToken();
    const adminBefore = await admin.token();
    await admin.must('POST', '/cutoffs', { kind: 'key', id: before.kid, reason: 'drill' });
    const after = await freshToken();
    expect(after.kid).not.toBe(before.kid);
    const key = (await published()).find((each) => each['kid'] === after.kid);
    expect(key !== undefined && es256Verifies(after.token, key)).toBe(true);
    expect((await published()).map((each) => each['kid'])).not.toContain(before.kid);

    await expect
      .poll(async () => (await admin.call('GET', '/keys', { token: adminBefore })).status, { timeout: 2000 })
      .toBe(401);
    expect((await openAdmin(authority.target).call('GET', '/keys')).status).toBe(200);

    const feed = await send(`${authority.target.issuer}/oauth/cutoffs?after=0&wait=0`, {
      ca: authority.target.ca,
    });
    const jwt = decodeJwt(feed.text);
    expect(jwt.header['kid']).toBe(after.kid);
    expect(jwt.claims['entries']).toContainEqual(expect.objectContaining({ kind: 'key', id: before.kid }));
  });
});
