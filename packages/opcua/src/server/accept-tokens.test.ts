// node-opcua's own client against a node-opcua server that takes tokens.
import { expect, test } from 'vitest';
import { statusOfCall, statusOfRead, statusOfWrite } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';

const scene = openScene();

test('a token opens what its scopes open', async () => {
  const { opcua, press } = scene;
  const reader = (await scene.session(await scene.withScope('opcua.read'))).session;
  expect(await statusOfRead(opcua, reader, press.nodes.temperature)).toBe('Good');
  expect(await statusOfWrite(opcua, reader, press.nodes.speed, 31)).toBe('BadUserAccessDenied');
  expect(await statusOfCall(reader, press)).toBe('BadUserAccessDenied');
  const writer = (await scene.session(await scene.withScope('opcua.write opcua.call'))).session;
  expect(await statusOfWrite(opcua, writer, press.nodes.speed, 31)).toBe('Good');
  expect(await statusOfCall(writer, press)).toBe('Good');
  expect(await statusOfRead(opcua, writer, press.nodes.speed)).toBe('BadUserAccessDenied');
});

test('a node that names its roles is closed to every other one', async () => {
  const { opcua, press } = scene;
  const reader = (await scene.session(await scene.withScope('opcua.read opcua.write'))).session;
  expect(await statusOfRead(opcua, reader, press.nodes.recipe)).toBe('BadUserAccessDenied');
  expect(await statusOfWrite(opcua, reader, press.nodes.recipe, 8)).toBe('BadUserAccessDenied');
  const engineer = (await scene.session(await scene.withScope('opcua.engineer'))).session;
  expect(await statusOfWrite(opcua, engineer, press.nodes.recipe, 8)).toBe('Good');
});

test('a renewed token narrows and widens the rights of the same session', async () => {
  const { opcua, press } = scene;
  const { session, activate } = await scene.session(await scene.withScope('opcua.read opcua.write'));
  expect(await statusOfWrite(opcua, session, press.nodes.speed, 32)).toBe('Good');
  expect(await activate(await scene.withScope('opcua.read'))).toBe('Good');
  expect(await statusOfWrite(opcua, session, press.nodes.speed, 33)).toBe('BadUserAccessDenied');
  expect(await activate(await scene.withScope('opcua.write'))).toBe('Good');
  expect(await statusOfRead(opcua, session, press.nodes.speed)).toBe('BadUserAccessDenied');
  expect(await statusOfWrite(opcua, session, press.nodes.speed, 34)).toBe('Good');
});

test('a scope that opens nothing here opens no session', async () => {
  expect(await scene.refusal(await scene.withScope('orders.read'))).toBe('BadUserAccessDenied');
  expect(scene.lastReason()).toBe('no_rights');
});

test.each(['Aes256_Sha256_RsaPss', 'Aes128_Sha256_RsaOaep', 'Basic256Sha256'])(
  'tokens are taken under %s',
  async (policy) => {
    for (const mode of ['Sign', 'SignAndEncrypt']) {
      const seal = await scene.withScope('opcua.read');
      expect(await scene.refusal(seal, { mode, policy })).toBe('Good');
    }
  },
);

test('who is there with a token is known, and that it has gone', async () => {
  const opened = await scene.session(await scene.withScope('opcua.read', { client_id: 'panel-1' }));
  const [known] = scene.press.guard.sessions().filter(({ clientId }) => clientId === 'panel-1');
  expect(known).toMatchObject({ scopes: ['opcua.read'], session: opened.session.sessionId.toString() });
  await opened.close();
  await expect
    .poll(() => scene.press.guard.sessions().filter(({ clientId }) => clientId === 'panel-1'))
    .toEqual([]);
});

test('a token that is bound to a certificate is good for that application only', async () => {
  const { opcua, panel, historian, press } = scene;
  const bound = await scene.withScope('opcua.read', { cnf: { 'x5t#S256': panel.thumbprint } });
  const held = await scene.session(bound);
  expect(await scene.refusal(bound, {}, historian)).toBe('BadIdentityTokenRejected');
  expect(scene.lastReason()).toBe('certificate_mismatch');
  expect(await statusOfRead(opcua, held.session, press.nodes.temperature)).toBe('Good');
});
