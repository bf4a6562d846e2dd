import { describeStrangers } from './strangers-suite.ts';

// The short version, tried again where a rate was measured beside other work; one million refusals are in strangers.long.test.ts.
describeStrangers({ refusals: 24_000, measureSeconds: 3 }, 60_000, 2);
