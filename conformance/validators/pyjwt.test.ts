import { describeValidator } from './validator-suite.ts';

describeValidator('PyJWT', 'python', ['pyjwt_validator.py']);
