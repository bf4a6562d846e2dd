import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import { MQTT_COMMAND, type RunningGateway, startGateway } from '../gateway/gateway-process.ts';
import {
  accessBody,
  type Admin,
  makeMachine,
  type Machine,
  openAdmin,
  resourceServerBody,
} from '../wire/admin.ts';
import { expectToken } from '../wire/expectations.ts';
import { freshName } from '../wire/scene.ts';
import { askToken } from '../wire/token-request.ts';
import { type Broker, startBroker } from './mosquitto-clients.ts';

/** What a sensor holds. */
export const SENSOR: readonly string[] = [
  'mqtt.pub:plant/{client}/#',
  'mqtt.sub:plant/{client}/#',
  'mqtt.sub:news/+',
];
/** What the plant's control room holds. */
export const CONTROL: readonly string[] = ['mqtt.sub:plant/#', 'mqtt.pub:plant/+/cmd', 'mqtt.pub:news/+'];

/** An authority, the gateway's command and a broker that knows nothing of either. */
export interface MqttWorld {
  readonly folder: string;
  readonly authority: RunningAuthority;
  readonly admin: Admin;
  readonly broker: Broker;
  readonly gateway: RunningGateway;
  readonly resource: string;
  /** `mqtt://` of the gateway. */
  readonly url: string;
  /** An identity with access to these scopes. */
  machine(scopes: readonly string[]): Promise<Machine & { readonly accessId: string }>;
  token(machine: Machine, resource?: string): Promise<string>;
  close(): Promise<void>;
}

/** What a test wants otherwise, once there is a resource server. */
export interface WorldSettings {
  /** Where the gateway listens, in its file. */
  readonly listen?: string;
  /** Further lines of it. */
  readonly lines?: string;
}

export async function openMqttWorld(
  mosquitto: string,
  settings: (
    world: Pick<MqttWorld, 'folder' | 'admin' | 'resource' | 'authority'>,
  ) => Promise<WorldSettings> = () => Promise.resolve({}),
): Promise<MqttWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-mqtt-'));
  const authority = await startAuthority({ folder, args: ['--mtls-port', '0'], startWithinMs: 90_000 });
  const { target } = authority;
  const admin = openAdmin(target);
  const resource = `https://${freshName('mqtt')}.example`;
  const scopes = [...SENSOR, ...CONTROL, 'tokens:introspect', 'usage:write'];
  const parts = async (): Promise<Pick<MqttWorld, 'broker' | 'gateway'>> => {
    await admin.must('POST', '/resource-servers', resourceServerBody(resource, scopes));
    const broker = await startBroker(mosquitto, folder);
    const { listen = "'127.0.0.1:0'", lines = '' } = await settings({ folder, admin, resource, authority });
    const config = `
issuer: ${target.issuer}
ca: ${authority.ready.ca_file ?? ''}
audience: ${resource}
broker: mqtt://${broker.address}
listen: {mqtt: ${listen}, operation: '127.0.0.1:0'}
${lines}`;
    const gateway = await startGateway(folder, config, MQTT_COMMAND).catch(async (error: Error) => {
      await broker.stop();
      throw error;
    });
    return { broker, gateway };
  };
  const { broker, gateway } = await parts().catch(async (error: Error) => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    folder,
    authority,
    admin,
    broker,
    gateway,
    resource,
    url: String(gateway.ready.mqtt),
    async machine(held) {
      const machine = await makeMachine(admin, freshName('sensor'));
      const access = await admin.must('POST', '/access', accessBody(machine.identityId, resource, held));
      return { ...machine, accessId: String(access['id']) };
    },
    async token(machine, of = resource) {
      return expectToken(await askToken({ target, client: machine, params: { resource: of } })).token;
    },
    async close() {
      await gateway.stop();
      await broker.stop();
      await authority.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
