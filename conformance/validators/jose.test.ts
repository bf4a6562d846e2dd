import { describeValidator } from './validator-suite.ts';

describeValidator('jose', 'node', ['validate-jose.mjs']);
