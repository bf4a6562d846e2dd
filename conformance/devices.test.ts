import { devicesSuite } from './devices-suite.ts';
import { mayStartServers } from './wire/target.ts';

// The whole fleet: devices.long.test.ts.
devicesSuite(50, mayStartServers());
