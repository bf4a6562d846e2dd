import { describeValidator } from './validator-suite.ts';

describeValidator('PyJWT', 'python', ['pyjwt_validator.py'], ['ES384', 'RS256', 'RS384', 'PS256', 'EdDSA']);
