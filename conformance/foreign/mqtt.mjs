// The client library `mqtt`: publishes to itself in the versions 4 and 5, is refused, and shows another token on a live connection.
import { connect } from 'mqtt';

const { MQTT_URL: url, CLIENT_ID: clientId, TOKEN: password, OTHER_TOKEN: other } = process.env;

const within = (ms, promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error('too late')), ms).unref()),
  ]);

function open(options) {
  const client = connect(url, { clientId, username: clientId, password, reconnectPeriod: 0, ...options });
  return within(
    10_000,
    new Promise((resolve, reject) => {
      client.once('connect', () => resolve(client));
      client.once('error', (error) => {
        client.end(true);
        reject(error);
      });
    }),
  );
}

async function echo(protocolVersion) {
  const client = await open({ protocolVersion });
  const topic = `plant/${clientId}/echo`;
  const heard = [];
  const all = new Promise((resolve) => {
    client.on('message', (_, payload) => {
      heard.push(payload.toString());
      if (heard.length === 6) resolve();
    });
  });
  const granted = await client
    .subscribeAsync([topic, 'plant/#'], { qos: 2 })
    .catch((error) => error.packet?.granted);
  for (const qos of [0, 1, 2]) {
    await client.publishAsync(topic, `${qos}a`, { qos });
    await client.publishAsync(topic, `${qos}b`, { qos, properties: { topicAlias: 1 } });
  }
  await within(10_000, all);
  const denied =
    protocolVersion === 5
      ? await client.publishAsync('plant/another/a', 'x', { qos: 1 }).then(
          () => 'taken',
          (error) => error.code,
        )
      : undefined;
  await client.endAsync();
  return {
    granted: granted?.map?.((each) => each.qos ?? each),
    heard: heard.toSorted((one, other) => one.localeCompare(other)),
    denied,
  };
}

async function refusal(options) {
  return open(options).then(
    () => 'connected',
    (error) => error.code,
  );
}

/** RFC 9431 §2.2.4.1. */
const data = (token) => {
  const bytes = Buffer.from(token);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

async function renewed() {
  const authenticationMethod = 'ace';
  const client = await open({
    protocolVersion: 5,
    username: undefined,
    password: undefined,
    properties: { authenticationMethod, authenticationData: data(password) },
  });
  const answered = new Promise((resolve) => {
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'auth') resolve(packet.reasonCode);
    });
  });
  client.handleAuth = (_packet, callback) => callback();
  client._sendPacket({
    cmd: 'auth',
    reasonCode: 0x19,
    properties: { authenticationMethod, authenticationData: data(password) },
  });
  const code = await within(10_000, answered);
  await client.publishAsync(`plant/${clientId}/after`, 'x', { qos: 1 });
  await client.endAsync();
  return code;
}

const result = {
  v4: await echo(4),
  v5: await echo(5),
  thief4: await refusal({ protocolVersion: 4, password: other }),
  thief5: await refusal({ protocolVersion: 5, password: other }),
  broken4: await refusal({ protocolVersion: 4, password: `${password}x` }),
  broken5: await refusal({ protocolVersion: 5, password: `${password}x` }),
  renewed: await renewed(),
};
process.stdout.write(JSON.stringify(result));
process.exit(0);
