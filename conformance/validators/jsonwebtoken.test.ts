import { describeValidator } from './validator-suite.ts';

describeValidator('jsonwebtoken with jwks-rsa', 'node', ['validate-jsonwebtoken.mjs']);
