// A client certificate in the place of a token: the gateway asks the authority whose it is and what it opens.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { accessBody, type Machine, makeMachine } from '../wire/admin.ts';
import { type Authority, certificateAuthority, FOR_CLIENTS } from '../wire/certificate-authority.ts';
import { type Answer, jsonOf, send } from '../wire/exchange.ts';
import { freshName } from '../wire/scene.ts';
import { mayStartServers } from '../wire/target.ts';
import { basic, FORM, formBody, type Params } from '../wire/token-request.ts';
import { mosquittoPrograms, publish, subscribe } from './mosquitto-clients.ts';
import { type MqttWorld, openMqttWorld, SENSOR } from './mqtt-world.ts';

vi.setConfig({ testTimeout: 180_000 });

const HINT = 'urn:countersign:token-type:certificate';

describe.runIf(mayStartServers())('a certificate at the MQTT gateway (needs the countersign command)', () => {
  let world: MqttWorld | undefined;
  afterEach(() => world?.close());

  let asker: Machine;

  test('opens what its identity may, from its own name only, and no longer once that is cut off', async (context) => {
    const { broker, pub, sub } = mosquittoPrograms(context);
    const ca = certificateAuthority(context, '/CN=devices');
    const file = (name: string, text: string): string => {
      const path = join((world as MqttWorld).folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    world = await openMqttWorld(broker, async ({ folder, admin, resource }) => {
      const server = ca.issue('/CN=gateway', ['subjectAltName=DNS:localhost,IP:127.0.0.1']);
      writeFileSync(join(folder, 'gateway.pem'), server.cert);
      writeFileSync(join(folder, 'gateway.key'), server.key, { mode: 0o600 });
      asker = await makeMachine(admin, freshName('gateway'));
      await admin.must('POST', '/access', accessBody(asker.identityId, resource, ['tokens:introspect']));
      writeFileSync(join(folder, 'gateway.secret'), asker.secret, { mode: 0o600 });
      return {
        listen: `{address: '127.0.0.1:0', tls: {certificate: gateway.pem, key: gateway.key, askForCertificate: true}}`,
        lines: `client: {id: ${asker.id}, secretFile: gateway.secret}\ncertificates: true`,
      };
    });
    const { admin, url } = world;
    const sensor = await world.machine(SENSOR);
    const san = `${sensor.id}.devices.test`;
    const material = { type: 'tls_client_auth', san_dns: san, ca: ca.pem };
    await admin.must('POST', `/identities/${sensor.identityId}/credentials`, material);
    const trust = file('ca.pem', ca.pem);
    let shown = 0;
    const showing = ({ cert, key }: Authority): readonly string[] => {
      const n = shown++;
      const files = [file(`c${n}.pem`, cert), file(`c${n}.key`, key)] as const;
      return ['--cafile', trust, '--cert', files[0], '--key', files[1]];
    };
    const named = (name: string, by = ca): Authority =>
      by.issue('/CN=device', [...FOR_CLIENTS, `subjectAltName=DNS:${name}`]);
    const own = showing(named(san));
    const topic = `plant/${sensor.id}/t`;
    const say = async (id: string, more: readonly string[]): Promise<string> =>
      (await publish(pub, { url, version: '5', id, more }, topic)).text;

    expect(await say(sensor.id, own)).toBe('');
    const foreign = certificateAuthority(context, '/CN=devices');
    const other = await world.machine(SENSOR);
    expect(await say(sensor.id, ['--cafile', trust])).toContain('Not authorized');
    expect(await say(sensor.id, showing(named('other.devices.test')))).toContain('Not authorized');
    expect(await say(sensor.id, showing(named(san, foreign)))).toContain('Not authorized');
    expect(await say(other.id, own)).toContain('Not authorized');
    // What is public is no proof: the same certificate, told of by somebody who has not its key.
    const told = `x5c:${sensor.id}:${named(san).der.toString('base64url')}`;
    const more = ['--cafile', trust, '-u', 'x', '-P', told];
    expect((await publish(pub, { url, version: '5', id: sensor.id, more }, topic)).text).toContain(
      'Not authorized',
    );

    // RFC 7662 section 2.1: the authority answers about a certificate where it is asked about one, and to nobody who takes it for a token.
    const about = async (hint?: string): Promise<Record<string, unknown>> =>
      jsonOf(
        await introspect(world as MqttWorld, asker, {
          token: told,
          ...(hint === undefined ? {} : { token_type_hint: hint }),
        }),
      );
    expect(await about()).toEqual({ active: false });
    expect(await about('access_token')).toEqual({ active: false });
    expect(await about(HINT)).toMatchObject({
      active: true,
      client_id: sensor.id,
      aud: world.resource,
      cnf: { 'x5t#S256': expect.any(String) },
    });
    expect(await about(HINT)).not.toHaveProperty('token_type');

    const live = subscribe(
      sub,
      { url, version: '5', id: `${sensor.id}:live`, more: own },
      `plant/${sensor.id}/#`,
    );
    await live.says(/Subscribed \(mid: 1\): 1/);
    await admin.must('POST', '/cutoffs', { kind: 'identity', id: sensor.identityId, reason: 'stolen' });
    await live.says(/Received DISCONNECT \(152\)/i);
    live.stop();
    expect(await say(sensor.id, own)).toContain('Administrative action');
  });
});

function introspect({ authority: { target } }: MqttWorld, asker: Machine, params: Params): Promise<Answer> {
  return send(String(target.tokenEndpoint).replace(/token$/, 'introspect'), {
    method: 'POST',
    headers: [
      ['Content-Type', FORM],
      ['Authorization', basic(asker)],
    ],
    body: formBody(params),
    ca: target.ca,
  });
}
