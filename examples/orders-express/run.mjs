#!/usr/bin/env node
// Orders on Express: the shop places and reads, the report reads, and nobody else comes in.
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { documents, ORDERS } from './documents.mjs';

await tell(documents(), async (scene) => {
  const api = await step('the orders API is up, on Express', 'node orders-api.mjs &', () =>
    scene.serve('orders-express/orders-api.mjs'),
  );
  const target = { resource: ORDERS };
  const placed = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ what: 'tea', by: 'somebody else' }),
  };
  const shop = scene.clientOf('web-shop');
  await step('web-shop places an order, in its own name: 201', "shop.fetch(orders + '/orders')", async () => {
    const response = await shop.fetch(`${api}/orders`, placed, target);
    const order = await response.json();
    expect('201 by web-shop', response.status === 201 && order.by === 'web-shop', JSON.stringify(order));
  });
  const reports = scene.clientOf('reports');
  await step('reports counts it: 200', "reports.fetch(orders + '/orders')", async () => {
    const counted = await (await reports.fetch(`${api}/orders`, {}, target)).json();
    expect('one order', counted.length === 1, JSON.stringify(counted));
  });
  await step('and places none: 403 insufficient_scope', "reports.fetch(orders + '/orders')", async () => {
    const { status, headers } = await reports.fetch(`${api}/orders`, placed, target);
    const challenge = headers.get('www-authenticate') ?? '';
    expect('403', status === 403 && /scope="orders:write"/.test(challenge), `${status} ${challenge}`);
  });
  await step('nobody comes in without a token: 401', `curl -i ${api}/orders`, async () => {
    const { status, headers } = await fetch(`${api}/orders`);
    expect('401', status === 401 && headers.has('www-authenticate'), `${status}`);
  });
  await step(
    'who wants to know what the API takes, asks it (RFC 9728)',
    `curl ${api}/.well-known/…`,
    async () => {
      const answer = await (await fetch(`${api}/.well-known/oauth-protected-resource`)).json();
      expect('its resource and scopes', answer.resource === ORDERS, JSON.stringify(answer));
    },
  );
  await Promise.all([shop.close(), reports.close()]);
});
