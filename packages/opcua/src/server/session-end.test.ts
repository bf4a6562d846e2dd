// A session ends with its token: OPC 10000-6 §6.5.2.3.
import { expect, test } from 'vitest';
import { statusOfRead, subscribe } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';

const scene = openScene();

const ended = (client: string) =>
  scene.press.events.find(({ type, clientId }) => type === 'closed' && clientId === client);

test('a session whose token expires is closed, with its subscriptions, and others go on', async () => {
  const { opcua, press, issuer } = scene;
  const short = await scene.withScope('opcua.read', {
    client_id: 'short',
    sub: 'short',
    exp: issuer.options.clock() + 20,
  });
  const ending = await scene.session(short);
  const going = await scene.session(await scene.withScope('opcua.read'));
  const { values } = await subscribe(opcua, ending.session, press.nodes.temperature);
  await expect.poll(() => values.length).toBe(1);
  expect(press.server.engine.currentSubscriptionCount).toBe(1);
  await issuer.advance(21);
  await expect.poll(() => ending.isOpen(), { timeout: 5000 }).toBe(false);
  expect(ended('short')).toMatchObject({ reason: 'expired' });
  expect(press.server.engine.currentSubscriptionCount).toBe(0);
  expect(await statusOfRead(opcua, going.session, press.nodes.temperature)).toBe('Good');
});

test('a session that was renewed outlives its first token', async () => {
  const { opcua, press, issuer } = scene;
  const held = await scene.session(await scene.withScope('opcua.read', { exp: issuer.options.clock() + 20 }));
  expect(await held.activate(await scene.withScope('opcua.read'))).toBe('Good');
  await issuer.advance(30);
  // Longer than it takes to look at all of them.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(await statusOfRead(opcua, held.session, press.nodes.temperature)).toBe('Good');
});

test('an order that cuts its identity off closes a session', async () => {
  const { opcua, press, issuer } = scene;
  const who = { client_id: 'stolen', sub: 'stolen', iat: issuer.options.clock() - 5 };
  const ending = await scene.session(await scene.withScope('opcua.read', who));
  const going = await scene.session(await scene.withScope('opcua.read'));
  await issuer.cutOff({ kind: 'identity', id: 'stolen' });
  await expect.poll(() => ending.isOpen(), { timeout: 5000 }).toBe(false);
  expect(ended('stolen')).toMatchObject({ reason: 'cut_off' });
  expect(await scene.refusal(await scene.withScope('opcua.read', who))).toBe('BadIdentityTokenRejected');
  expect(await statusOfRead(opcua, going.session, press.nodes.temperature)).toBe('Good');
});

test('a token that has lost every right ends the session that it renews', async () => {
  const held = await scene.session(await scene.withScope('opcua.read'));
  expect(await held.activate(await scene.withScope('orders.read'))).toBe('BadUserAccessDenied');
  await expect.poll(() => held.isOpen()).toBe(false);
});
