import { describeValidator } from './validator-suite.ts';

// Spring Security takes at+jwt with its validator for RFC 9068 only.
describeValidator('Spring Security', 'java', ['SpringValidator'], ['ES384', 'RS256', 'RS384', 'PS256'], true);
