// A token bound by a proof, through the token endpoint: RFC 9449 §5, §8, §11.1.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProofKey, proofKey, proofOf } from '../../../test/dpop-proof.ts';
import { changed, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { openMemoryStorage } from '../../../test/memory-storage.ts';
import { StorageError } from '../../storage/errors.ts';
import type { UsedOnceStore } from '../../storage/used-once.ts';
import type { Storage } from '../../storage/storage.ts';

const SECONDS = Math.floor(NOW / 1000);
const NONCE_KEY = new Uint8Array(32).fill(3);
let used: Storage;
let key: ProofKey;
let scene: TokenScene;
const more: TokenScene[] = [];

async function open({
  nonceKey,
  usedOnce = used.usedOnce,
}: {
  nonceKey?: Uint8Array;
  usedOnce?: Pick<UsedOnceStore, 'claim'>;
} = {}): Promise<TokenScene> {
  const opened = await openTokenScene({ usedOnce, dpop: { nonceKey } });
  more.push(opened);
  return opened;
}
beforeEach(async () => {
  used = await openMemoryStorage({ now: () => NOW });
  key = proofKey();
  scene = await open();
});
afterEach(async () => {
  for (const each of more.splice(0)) await each.close();
  await used.close();
});

const show = (proof: string, where = scene) => where.ask('', { headers: ['DPoP', proof] });
function claimsOf(body: string | Uint8Array): Record<string, unknown> {
  const token = String((JSON.parse(String(body)) as { access_token: string }).access_token);
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('a proof at the token endpoint', () => {
  it('binds the token to its key', async () => {
    const answer = await show(proofOf(key, SECONDS));
    expect(jsonOf(answer)).toMatchObject({ token_type: 'DPoP' });
    expect(claimsOf(answer.body)['cnf']).toEqual({ jkt: key.jkt });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(answer.headers).not.toHaveProperty('dpop-nonce');
  });

  it('is not needed where the resource server does not say so', async () => {
    expect(jsonOf(await scene.ask())).toMatchObject({ token_type: 'Bearer' });
  });

  it('is demanded where the resource server says so, and enough there', async () => {
    await scene.storage.resourceServers.replace(changed(scene.server, { senderConstraint: 'dpop' }));
    expect(jsonOf(await scene.ask())).toMatchObject({ error: 'invalid_request' });
    expect((await show(proofOf(key, SECONDS))).status).toBe(200);
  });

  it.each([-60, -10, 0, 10, 30])('is taken %d seconds away', async (seconds) => {
    expect((await show(proofOf(key, SECONDS + seconds))).status).toBe(200);
  });
  it.each([-61, 31])('is not taken %d seconds away', async (seconds) => {
    expect((await show(proofOf(key, SECONDS + seconds))).status).toBe(400);
  });

  it('is for the address in the metadata, whatever the Host header says', async () => {
    const proof = proofOf(key, SECONDS, { htu: 'https://elsewhere.test/oauth/token' });
    const answer = await scene.ask('', { headers: ['DPoP', proof, 'X-Forwarded-Host', 'elsewhere.test'] });
    expect(jsonOf(answer)).toMatchObject({ error: 'invalid_dpop_proof' });
  });

  it('is taken once in 200 at the same time, on two nodes', async () => {
    const other = await open();
    const proof = proofOf(key, SECONDS);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => show(proof, i % 2 ? other : scene)),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => jsonOf(answer)['error'] === 'invalid_dpop_proof')).toHaveLength(199);
  });

  it('is taken once though a node whose clock is ahead tidies up meanwhile', async () => {
    const proof = proofOf(key, SECONDS - 59);
    expect((await show(proof)).status).toBe(200);
    await used.usedOnce.sweep(NOW + 50_000);
    expect(jsonOf(await show(proof))).toMatchObject({ error: 'invalid_dpop_proof' });
  });

  it('of another key may have the same jti', async () => {
    for (const each of [key, proofKey()]) {
      expect((await show(proofOf(each, SECONDS, { jti: 'same' }))).status).toBe(200);
    }
  });

  it('that cannot be known to be new gives no token', async () => {
    const gone = { claim: () => Promise.reject(new StorageError('unavailable', 'gone')) };
    const answer = await show(proofOf(key, SECONDS), await open({ usedOnce: gone }));
    expect([answer.status, jsonOf(answer)['error']]).toEqual([503, 'temporarily_unavailable']);
  });

  it('of a client that proved nothing is not looked at, and not used up', async () => {
    const proof = proofOf(key, SECONDS);
    const stranger = await scene.ask('', {
      authorization: 'Basic cGF5bWVudHM6eA==',
      headers: ['DPoP', proof],
    });
    expect(stranger.status).toBe(401);
    expect((await show(proof)).status).toBe(200);
  });
});

describe('where a nonce is needed', () => {
  beforeEach(async () => {
    scene = await open({ nonceKey: NONCE_KEY });
  });

  it('the refusal brings it, the proof with it is taken, and the answer brings it again', async () => {
    const refused = await show(proofOf(key, SECONDS));
    expect([refused.status, jsonOf(refused)['error']]).toEqual([400, 'use_dpop_nonce']);
    expect(refused.headers).toMatchObject({ 'cache-control': 'no-store' });
    const nonce = refused.headers['dpop-nonce'];
    const answer = await show(proofOf(key, SECONDS, { nonce }), await open({ nonceKey: NONCE_KEY }));
    expect(answer.status).toBe(200);
    expect(answer.headers['dpop-nonce']).toBe(nonce);
  });

  it('an answer without a proof says nothing of it', async () => {
    expect((await scene.ask()).headers).not.toHaveProperty('dpop-nonce');
  });

  it('a proof that was refused for want of it is not used up', async () => {
    const refused = await show(proofOf(key, SECONDS, { jti: 'same' }));
    const nonce = refused.headers['dpop-nonce'];
    expect((await show(proofOf(key, SECONDS, { jti: 'same', nonce }))).status).toBe(200);
  });
});
