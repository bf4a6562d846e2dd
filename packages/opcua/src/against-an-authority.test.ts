// A press, a panel and a real authority: from the first token to the order that ends it.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CutOffScene, openCutOffScene } from '../test/cut-off-scene.ts';
import { loadPeer, PEER_TIMEOUT_MS } from '../test/peer.ts';
import { newClient, PRESS, statusOfRead, statusOfWrite } from '../test/plant.ts';
import { connectOpcUa } from './client/connect.ts';

const peer = await loadPeer();
const { opcua } = peer;
let scene: CutOffScene;

beforeAll(async () => {
  if (opcua !== undefined) scene = await openCutOffScene(opcua);
}, PEER_TIMEOUT_MS);
beforeEach((context) => {
  if (opcua === undefined) context.skip(peer.absent);
});
afterAll(async () => await scene?.close());

test('a machine reads by its token, is refused what it does not hold, and is ended by an order while others go on', async () => {
  const { authority, press, panel } = scene;
  const reader = await authority.machine('panel-reader', PRESS, ['opcua.read']);
  const other = await authority.machine('panel-other', PRESS, ['opcua.read', 'opcua.write']);
  const going = await scene.session(other);
  const connection = await connectOpcUa<ReturnType<typeof newClient>>(opcua, {
    opcUaClient: newClient(opcua, panel, 'SignAndEncrypt', 'Basic256Sha256', 100),
    endpointUrl: press.url,
    client: reader.client,
    resource: PRESS,
  });
  const session = connection.session as ReturnType<typeof newClient>;
  expect(await statusOfRead(opcua, session, press.nodes.temperature)).toBe('Good');
  expect(await statusOfWrite(opcua, session, press.nodes.speed, 31)).toBe('BadUserAccessDenied');
  await scene.cutOff(reader);
  // What node-opcua would try for ever ends with the authority's word.
  void session.read({ nodeId: press.nodes.temperature.nodeId, attributeId: 13 }).catch(() => undefined);
  expect((await connection.ended).code).toMatch(/^refused_by_(authority|server)$/);
  expect(await statusOfRead(opcua, going.session, press.nodes.temperature)).toBe('Good');
  await going.close();
}, 60_000);

test('an access that does not reach this server gives no session', async () => {
  const { authority, press, panel } = scene;
  const stranger = await authority.machine('stranger', PRESS, ['opcua.read']);
  await authority.admin('POST', `/identities/${stranger.id}/suspend`, { reason: 'test' });
  const refused = await connectOpcUa(opcua, {
    opcUaClient: newClient(opcua, panel),
    endpointUrl: press.url,
    client: stranger.client,
    resource: PRESS,
  }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'refused_by_authority' });
});
