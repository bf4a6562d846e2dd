import { describeValidator } from './validator-suite.ts';

describeValidator('fast-jwt with get-jwks', 'node', ['validate-fast-jwt.mjs']);
