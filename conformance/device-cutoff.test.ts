import { test } from 'vitest';
import { expectDevicesEnd } from './device-cutoff-suite.ts';
import { mayStartServers } from './wire/target.ts';

// It starts an authority and guards of its own, so it says nothing about another one. Wanted is what docs/operate/promises.md says (3).
test.runIf(mayStartServers())(
  'one order ends what a device has open over HTTP, MQTT, CoAP and OPC UA, and nothing of others (needs mosquitto, libcoap, node-opcua)',
  (context) => expectDevicesEnd(context, 3, 2000),
  180_000,
);
