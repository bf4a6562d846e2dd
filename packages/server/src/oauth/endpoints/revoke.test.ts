// Revocation (RFC 7009) as an endpoint: a cut-off of one token, ordered by its client.
import { formatBasicCredentials } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpResponse } from '../../http/response.ts';
import { createBudgets, REVOCATIONS } from './budgets.ts';
import { jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

async function token(): Promise<string> {
  return String(jsonOf(await scene.ask())['access_token']);
}
const revoke = (text: string, authorization?: string) => scene.about('/oauth/revoke', text, authorization);
const isActive = async (text: string): Promise<unknown> =>
  jsonOf(await scene.about('/oauth/introspect', text))['active'];
const orders = () => scene.storage.cutoffs.after(0, 100);

describe('revocation', () => {
  it('ends this token and no other, stands in the feed and in the log', async () => {
    const [own, kept] = [await token(), await token()];
    expect(await revoke(own)).toEqual({
      status: 200,
      headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
      body: '',
    });
    expect([await isActive(own), await isActive(kept)]).toEqual([false, true]);
    const { jti } = JSON.parse(Buffer.from(own.split('.')[1] as string, 'base64url').toString());
    const [order, ...more] = await orders();
    expect(more).toEqual([]);
    expect(order).toMatchObject({ kind: 'token', target: jti, orderedBy: 'payments' });
    expect(scene.log.events.at(-1)).toMatchObject({
      type: 'cutoff.ordered',
      identity: 'payments',
      resource: order?.id,
      reason: 'revoked by its client',
    });
  });

  it('of what is revoked, expired or no token is well done, and orders nothing', async () => {
    const own = await token();
    await revoke(own);
    await revoke(own);
    expect(await orders()).toHaveLength(1);
    const late = await token();
    scene.clock.set(scene.clock.now() + 601_000);
    for (const text of [late, 'x', 'a.b.c', '\u{1F600}']) expect((await revoke(text)).status).toBe(200);
    expect(await orders()).toHaveLength(1);
  });

  it('is refused to a stranger, and the token stays alive', async () => {
    const own = await token();
    const answer = await revoke(own, formatBasicCredentials('payments', `${scene.secret}x`));
    expect(answer.status).toBe(401);
    expect(scene.strangers.map(({ event }) => event.type)).toEqual(['revocation.refused']);
    expect(await isActive(own)).toBe(true);
  });

  it('is of so many tokens of one client: what all verifiers keep for a day is not for one of them to fill', async () => {
    const budgets = createBudgets({
      issuanceQuota: undefined,
      enforced: false,
      apiKeyRate: 1,
      failureLimit: undefined,
    });
    const other = await openTokenScene({ budgets });
    const tokens = await Promise.all(Array.from({ length: REVOCATIONS.atOnce + 1 }, () => other.ask()));
    const answers = [];
    for (const each of tokens)
      answers.push(await other.about('/oauth/revoke', String(jsonOf(each)['access_token'])));
    const [last, ...before] = answers.reverse();
    expect(new Set(before.map(({ status }) => status))).toEqual(new Set([200]));
    expect([last?.status, last?.headers['retry-after']]).toEqual([429, '1']);
    expect(other.log.events.at(-1)).toMatchObject({
      type: 'revocation.refused',
      identity: 'payments',
      reason: 'revocation_rate_exceeded',
    });
    const again = String(jsonOf(tokens.at(-1) as HttpResponse)['access_token']);
    other.clock.set(other.clock.now() + 1000);
    expect((await other.about('/oauth/revoke', again)).status).toBe(200);
    expect(await other.storage.cutoffs.head()).toBe(REVOCATIONS.atOnce + 1);
    await other.close();
  });

  it('is not said to be done while it is not in the log', async () => {
    const own = await token();
    scene.log.mode = 'refuses';
    const answer = await revoke(own);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });
});
