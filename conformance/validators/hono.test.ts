import { describeValidator } from './validator-suite.ts';

describeValidator('hono/jwk', 'node', ['validate-hono.mjs']);
