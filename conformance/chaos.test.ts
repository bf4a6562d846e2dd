import { describeChaos } from './chaos-suite.ts';

// The short version; twenty kills are in chaos.long.test.ts.
describeChaos(3, 90_000);
