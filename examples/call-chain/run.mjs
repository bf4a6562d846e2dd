#!/usr/bin/env node
// One request to the shop becomes 30 calls, each in the caller's name and each saying who acts.
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { CALLER, CALLS, documents, resourceOf } from './estate.mjs';

const SHOP = resourceOf('shop');

/** All answers, the shop's first. */
const flat = (answer) => [answer, ...(answer.heard ?? []).flatMap(flat)];

/** Who acts in a call: the shop calls the middle, and the middle the last in the shop's turn. */
function actsRightly({ api, actors }) {
  if (CALLS.shop.includes(api)) return actors.join() === 'shop';
  return CALLS[actors[0]]?.includes(api) && actors.slice(1).join() === 'shop';
}

await tell(documents(), async (scene) => {
  const addresses = await step(
    'eleven APIs are up, most with a client of their own',
    'node services.mjs &',
    async () => JSON.parse(await scene.serve('call-chain/services.mjs', scene.folder)),
  );
  const client = scene.clientOf(CALLER);
  const { accessToken } = await client.token({ resource: SHOP });
  const ask = async () => flat(await (await client.fetch(addresses.shop, {}, { resource: SHOP })).json());

  await step('one request becomes 30 calls in the caller’s name', 'client.fetch(shop)', async () => {
    const [asked, ...called] = await ask();
    expect('30 calls', called.length === 30, `${called.length}`);
    expect(
      'one subject',
      called.every(({ sub }) => sub === asked.sub),
      JSON.stringify(called),
    );
    expect('the caller itself at the shop', asked.actors.length === 0, JSON.stringify(asked.actors));
    expect('who acts in each', called.every(actsRightly), JSON.stringify(called));
  });
  await step('again, with the tokens that are kept: within 2 s', 'client.fetch(shop)', async () => {
    const started = performance.now();
    await ask();
    const took = performance.now() - started;
    expect('at most 2 s', took < 2000, `${took.toFixed(0)} ms`);
  });
  await step(
    'the shop may not go past the APIs that it calls: invalid_target',
    'shop.token(ledger)',
    async () => {
      const shop = scene.clientOf('shop');
      const target = { resource: resourceOf('ledger'), subjectToken: accessToken };
      const refusal = await shop.token(target).catch((error) => error);
      expect('invalid_target', refusal.error === 'invalid_target', String(refusal.message ?? 'a token'));
      await shop.close();
    },
  );
  const order = ['cutoffs', 'create', '--kind', 'identity', '--id', 'orders', '--reason', 'drill', '--yes'];
  await step('orders is cut off', `npx --no -- countersign ${order.join(' ')}`, async () => {
    const { code, out, err } = await scene.countersign(...order);
    expect('a cut-off', code === 0, err || out);
  });
  await step('nothing acts through it within 2 s, and the rest goes on', 'client.fetch(shop)', async () => {
    let refused = [];
    for (const started = performance.now(); refused.length < 5 && performance.now() - started < 2000; ) {
      refused = (await ask()).filter((answer) => answer.refused !== undefined);
    }
    expect('five calls refused', refused.length === 5, JSON.stringify(refused));
  });
  await client.close();
});
