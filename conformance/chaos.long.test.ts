import { describeChaos } from './chaos-suite.ts';

describeChaos(20, 900_000);
