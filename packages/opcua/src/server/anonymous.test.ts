// Where anonymous sessions are declared: OPC 10000-6 §6.5.2.3, OPC 10000-4 §7.40.6.
import { expect, test } from 'vitest';
import { anonymous, openRaw, type Seal, statusOfRead, statusOfWrite, subscribe } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';

const scene = openScene({ anonymous: ['Browse'] });
const nobody: Seal = (context) => anonymous(scene.opcua)(context);

test('a session without a token may what was declared and no more, said or left out', async () => {
  const { opcua, press, panel } = scene;
  for (const seal of [nobody, () => null as unknown as object]) {
    const { session } = await scene.session(seal);
    expect((await session.browse(press.nodes.press.nodeId)).references.length).toBeGreaterThan(2);
    expect(await statusOfRead(opcua, session, press.nodes.temperature)).toBe('BadUserAccessDenied');
  }
  const open = await openRaw(opcua, press, panel, nobody, { mode: 'None', policy: 'None' });
  expect(await statusOfRead(opcua, open.session, press.nodes.temperature)).toBe('BadUserAccessDenied');
  await open.close();
});

test('a session that outlives its token goes on as anonymous, and comes back with another one', async () => {
  const { opcua, press, issuer } = scene;
  const who = { client_id: 'panel-1', sub: 'panel-1' };
  const held = await scene.session(
    await scene.withScope('opcua.read opcua.write', { ...who, exp: issuer.options.clock() + 20 }),
  );
  const { values } = await subscribe(opcua, held.session, press.nodes.temperature);
  await expect.poll(() => values.length).toBe(1);
  await issuer.advance(21);
  await expect.poll(() => press.events.at(-1)?.type, { timeout: 5000 }).toBe('downgraded');
  expect(press.events.at(-1)).toMatchObject({ clientId: 'panel-1', reason: 'expired' });
  expect(await statusOfRead(opcua, held.session, press.nodes.temperature)).toBe('BadUserAccessDenied');
  expect(await statusOfWrite(opcua, held.session, press.nodes.speed, 1)).toBe('BadUserAccessDenied');
  press.nodes.temperature.setValueFromSource({ dataType: opcua.DataType.Double, value: 201 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(values).toEqual([180]);
  expect(await held.activate(await scene.withScope('opcua.read', { client_id: 'other', sub: 'other' }))).toBe(
    'BadIdentityChangeNotSupported',
  );
  expect(await held.activate(await scene.withScope('opcua.read', who))).toBe('Good');
  expect(await statusOfRead(opcua, held.session, press.nodes.temperature)).toBe('Good');
  press.nodes.temperature.setValueFromSource({ dataType: opcua.DataType.Double, value: 180 });
});

test('a client that makes itself anonymous has the rights of its token no longer', async () => {
  const { opcua, press } = scene;
  const held = await scene.session(await scene.withScope('opcua.read'));
  expect(await held.activate(nobody)).toBe('Good');
  expect(await statusOfRead(opcua, held.session, press.nodes.temperature)).toBe('BadUserAccessDenied');
  expect(press.guard.sessions()).toEqual([]);
});
