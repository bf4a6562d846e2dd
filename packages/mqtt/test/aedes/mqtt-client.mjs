// The client library mqtt, MQTT 3.1.1: what a broker says to it. No part of the product.
import { connect } from 'mqtt';

const { MQTT_URL: url, CLIENT_ID: clientId, TOKEN: password, OTHER_TOKEN: other } = process.env;
const protocolVersion = 4;

function open(options) {
  const client = connect(url, {
    clientId,
    username: clientId,
    password,
    protocolVersion,
    reconnectPeriod: 0,
    ...options,
  });
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('error', (error) => {
      client.end(true);
      reject(error);
    });
  });
}

const refusal = (options) =>
  open(options).then(
    () => 'connected',
    (error) => error.code,
  );

async function echo() {
  const client = await open();
  const topic = `plant/${clientId}/echo`;
  const heard = [];
  const all = new Promise((resolve) => {
    client.on('message', (_, payload) => {
      heard.push(payload.toString());
      if (heard.length === 3) resolve();
    });
  });
  const granted = await client
    .subscribeAsync([topic, 'plant/#'], { qos: 2 })
    .catch((error) => error.packet?.granted);
  for (const qos of [0, 1, 2]) await client.publishAsync(topic, String(qos), { qos });
  await all;
  const closed = new Promise((resolve) => client.once('close', () => resolve('closed')));
  client.publish('plant/another/a', 'x', { qos: 1 }, () => undefined);
  return { granted, heard: new Set(heard).size, denied: await closed };
}

process.stdout.write(
  JSON.stringify({
    echo: await echo(),
    thief: await refusal({ password: other }),
    broken: await refusal({ password: `${password}x` }),
    five: await refusal({ protocolVersion: 5 }),
  }),
);
process.exit(0);
