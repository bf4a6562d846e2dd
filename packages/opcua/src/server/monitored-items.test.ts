// What subscriptions deliver: OPC 10000-4 §5.13. With a sampling interval of 0 node-opcua delivers changes without asking for permission.
import { expect, test } from 'vitest';
import { subscribe } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';

const scene = openScene();
const DELIVERED_MS = 400;

function set(value: number): void {
  const { opcua, press } = scene;
  press.nodes.temperature.setValueFromSource({ dataType: opcua.DataType.Double, value });
}

const delivered = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, DELIVERED_MS));

test('who may read is told of changes', async () => {
  const { session } = await scene.session(await scene.withScope('opcua.read'));
  set(180);
  const { status, values } = await subscribe(scene.opcua, session, scene.press.nodes.temperature);
  expect(status).toBe('Good');
  await delivered();
  set(181);
  await expect.poll(() => values).toEqual([180, 181]);
});

test('who may not read subscribes to nothing', async () => {
  const { session } = await scene.session(await scene.withScope('opcua.write opcua.call'));
  const { status, values } = await subscribe(scene.opcua, session, scene.press.nodes.temperature);
  expect(status).toBe('BadUserAccessDenied');
  set(182);
  await delivered();
  expect(values).toEqual([]);
});

test('a renewed token that no longer covers it ends what was subscribed to', async () => {
  const held = await scene.session(await scene.withScope('opcua.read opcua.write'));
  set(183);
  const { values } = await subscribe(scene.opcua, held.session, scene.press.nodes.temperature);
  await expect.poll(() => values).toEqual([183]);
  expect(await held.activate(await scene.withScope('opcua.write'))).toBe('Good');
  set(184);
  await delivered();
  expect(values).toEqual([183]);
});

test('events are for those who may read', async () => {
  const { opcua, press } = scene;
  const attribute = opcua.AttributeIds.EventNotifier;
  for (const [scope, status] of [
    ['opcua.write', 'BadUserAccessDenied'],
    ['opcua.read', 'Good'],
  ] as const) {
    const { session } = await scene.session(await scene.withScope(scope));
    expect((await subscribe(opcua, session, press.nodes.press, attribute)).status).toBe(status);
  }
});
