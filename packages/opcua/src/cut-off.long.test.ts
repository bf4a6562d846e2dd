// How long an order takes until an OPC UA session is closed: 100 of them, one after the other, on one press. Under a second at p99.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CutOffScene, openCutOffScene } from '../test/cut-off-scene.ts';
import { loadPeer, PEER_TIMEOUT_MS } from '../test/peer.ts';
import { PRESS, type RawSession, statusOfRead } from '../test/plant.ts';

const ORDERS = 100;
/** Sessions that are open at a time. */
const AT_A_TIME = 5;

const peer = await loadPeer();
let scene: CutOffScene;

beforeAll(async () => {
  if (peer.opcua !== undefined) scene = await openCutOffScene(peer.opcua);
}, PEER_TIMEOUT_MS);
afterAll(async () => await scene?.close());

test(`of ${ORDERS} orders each closes the session of its machine, in under a second at p99`, async (context) => {
  const { opcua, absent } = peer;
  if (opcua === undefined) return context.skip(absent);
  const { authority, press } = scene;
  const took: number[] = [];
  const bystander = await scene.session(await authority.machine('bystander', PRESS, ['opcua.read']));
  while (took.length < ORDERS) {
    const machines = [];
    const sessions: RawSession[] = [];
    for (let count = 0; count < AT_A_TIME; count++) {
      const machine = await authority.machine(`machine-${took.length + count}`, PRESS, ['opcua.read']);
      machines.push(machine);
      sessions.push(await scene.session(machine));
    }
    for (const machine of machines) took.push(await scene.cutOff(machine));
    for (const session of sessions) {
      expect(session.isOpen()).toBe(false);
      await session.close();
    }
  }
  expect(await statusOfRead(opcua, bystander.session, press.nodes.temperature)).toBe('Good');
  await bystander.close();
  took.sort((one, other) => one - other);
  const at = (part: number): number => Math.round(took[Math.ceil(part * took.length) - 1] as number);
  console.log(`OPC UA, ${ORDERS} orders: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
  expect(at(0.99)).toBeLessThan(1000);
}, 600_000);
