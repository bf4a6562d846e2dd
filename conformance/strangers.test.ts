import { describeStrangers } from './strangers-suite.ts';

// The short version; one million refusals are in strangers.long.test.ts.
describeStrangers({ refusals: 30_000, measureSeconds: 4 }, 90_000);
