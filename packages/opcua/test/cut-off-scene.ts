// A press that trusts a real authority, one application, and machines with sessions that an order ends.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVerifier } from '@countersign/resource-server';
import { type Authority, type Machine, startAuthority } from './authority.ts';
import { type Application, openRaw, Plant, PRESS, type Press, type RawSession, sealed } from './plant.ts';

export interface CutOffScene {
  readonly authority: Authority;
  readonly press: Press;
  readonly panel: Application;
  session(machine: Machine): Promise<RawSession>;
  /** Orders that the machine be cut off. Resolves when its session is closed, to the milliseconds since the order was sent. */
  cutOff(machine: Machine): Promise<number>;
  close(): Promise<void>;
}

/** @param opcua node-opcua */
export async function openCutOffScene(opcua: Press['server']): Promise<CutOffScene> {
  const authority = await startAuthority();
  const plant = new Plant(opcua);
  await authority.resourceServer(PRESS, ['opcua.read', 'opcua.write', 'opcua.call']);
  const { issuer, fetch } = authority;
  const verifier = createVerifier({ issuer, audience: PRESS, fetch });
  await verifier.ready();
  const machine = await plant.application(PRESS);
  const panel = await plant.application('urn:plant.example:panel');
  await plant.trust(machine, panel);
  await plant.trust(panel, machine);
  const told = new EventTarget();
  const press = await plant.press(machine, verifier, {
    issuer,
    onEvent: ({ type, clientId }) =>
      void (type === 'closed' && told.dispatchEvent(new Event(String(clientId)))),
  });
  // Loading an address space leaves time for nothing else, and the feed grows stale meanwhile.
  while (verifier.feeds().some(({ stale }) => stale)) await sleep(20);
  return {
    authority,
    press,
    panel,
    async session({ client }) {
      const { accessToken } = await client.token({ resource: PRESS, scope: 'opcua.read' });
      return openRaw(opcua, press, panel, sealed(opcua, accessToken));
    },
    async cutOff({ id, clientId }) {
      const closed = once(told, clientId);
      const at = performance.now();
      await authority.admin('POST', '/cutoffs', { kind: 'identity', id, reason: 'test' });
      await closed;
      return performance.now() - at;
    },
    async close() {
      await plant.close();
      await verifier.close();
      await authority.close();
    },
  };
}
