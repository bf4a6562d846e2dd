import { devicesSuite } from './devices-suite.ts';

devicesSuite(500, true);
