import { test } from 'vitest';
import { expectDevicesEnd } from './device-cutoff-suite.ts';

test(
  'of 100 orders each ends what its device has open over HTTP, MQTT, CoAP and OPC UA, in under a second at p99',
  (context) => expectDevicesEnd(context, 100, 1000),
  900_000,
);
