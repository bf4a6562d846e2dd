import type { JsonWebKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { issueSecret } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { decodeJwt, es256Verifies } from './wire/jwt.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Token Status List, draft-ietf-oauth-status-list-21: what a verifier that knows nothing of ours relies on.
const target = currentTarget();

interface Place {
  readonly idx: number;
  readonly uri: string;
}

describe.runIf(target.admin !== undefined)('token status lists (needs the admin API)', () => {
  let scene: SeededScene;

  beforeAll(async () => {
    scene = await seedScene('status');
    const body = { token: { status_list: true } };
    const answer = await scene.admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, body);
    expect(answer.status, answer.text).toBe(200);
  });

  async function placeFor(client = scene.client): Promise<Place> {
    const { token } = expectToken(await askToken({ client, params: { resource: scene.resource } }));
    const { status } = decodeJwt(token).claims as { status: { status_list: Place } };
    return status.status_list;
  }

  async function read(uri: string): Promise<{ text: string; type: string | null }> {
    const answer = await send(uri, { ca: target.ca });
    expect(answer.status, answer.text).toBe(200);
    return { text: answer.text, type: String(answer.headers['content-type']) };
  }

  /** §8.3: the bits of the list, the lowest first in each byte. */
  async function statusOf({ uri, idx }: Place): Promise<number> {
    const { claims } = decodeJwt((await read(uri)).text);
    const { bits, lst } = claims['status_list'] as { bits: number; lst: string };
    expect(bits).toBe(1);
    const list = inflateSync(Buffer.from(lst, 'base64url'), { maxOutputLength: 100_000 });
    return ((list[idx >> 3] as number) >> (idx & 7)) & 1;
  }

  test('§6.1: the token names its place, a whole number and an address of the issuer', async () => {
    const { idx, uri } = await placeFor();
    expect(Number.isSafeInteger(idx) && idx >= 0).toBe(true);
    expect(uri.startsWith(`${target.issuer}/`)).toBe(true);
  });

  test('§5.1: the list is a signed JWT of its own type, about the address that the token names', async () => {
    const { uri } = await placeFor();
    const { text, type } = await read(uri);
    expect(type).toBe('application/statuslist+jwt');
    const { header, claims } = decodeJwt(text);
    expect(header['typ']).toBe('statuslist+jwt');
    expect(claims['sub']).toBe(uri);
    const now = Math.floor(Date.now() / 1000);
    expect(claims['iat']).toBeLessThanOrEqual(now + 1);
    expect(claims['exp']).toBeGreaterThan(now);
    expect(claims['ttl']).toBeGreaterThan(0);
    for (const name of ['aud', 'client_id', 'scope', 'jti']) expect(claims).not.toHaveProperty(name);
    const { keys } = jsonOf(await send(target.jwksUri, { ca: target.ca })) as { keys: JsonWebKey[] };
    const key = keys.find((each) => each['kid'] === header['kid']);
    expect(key !== undefined && es256Verifies(text, key)).toBe(true);
    expect(text.length).toBeLessThan(25_000);
  });

  test('it is no access token', async () => {
    const { text } = await read((await placeFor()).uri);
    expect((await scene.admin.call('GET', '/identities', { token: text })).status).toBe(401);
  });

  test('a credential that is cut off is invalid, and the identity goes on with its other one', async () => {
    const { id, secret } = await issueSecret(scene.admin, scene.machine.identityId);
    const place = await placeFor({ id: scene.client.id, secret });
    const own = await placeFor();
    expect(place).not.toEqual(own);
    expect([await statusOf(place), await statusOf(own)]).toEqual([0, 0]);
    await scene.admin.must('POST', '/cutoffs', { kind: 'credential', id, reason: 'conformance' });
    await expect.poll(() => statusOf(place), { timeout: 5000 }).toBe(1);
    expect(await statusOf(own)).toBe(0);
  });

  test('suspended is invalid, and after it was resumed what was issued before stays invalid', async () => {
    const before = await placeFor();
    await scene.admin.must('POST', `/identities/${scene.machine.identityId}/suspend`, { reason: 'x' });
    await expect.poll(() => statusOf(before), { timeout: 5000 }).toBe(1);
    await scene.admin.must('POST', `/identities/${scene.machine.identityId}/resume`, { reason: 'x' });
    const after = await placeFor();
    expect(after).not.toEqual(before);
    await expect.poll(() => statusOf(after), { timeout: 5000 }).toBe(0);
    await sleep(1100);
    expect(await statusOf(before)).toBe(1);
  });

  test('an API that does not ask for it gets tokens without', async () => {
    const other = await seedScene('no-status');
    const { token } = expectToken(
      await askToken({ client: other.client, params: { resource: other.resource } }),
    );
    expect(decodeJwt(token).claims).not.toHaveProperty('status');
  });

  test.each(['999999', 'x', '-1', '1e3', '%00', '0/0'])('the list %s is not there', async (list) => {
    const answer = await send(`${target.issuer}/oauth/status/${list}`, { ca: target.ca });
    expect(answer.status).toBe(404);
  });
});
