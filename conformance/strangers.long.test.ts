import { describeStrangers } from './strangers-suite.ts';

describeStrangers({ refusals: 1_000_000, measureSeconds: 30 }, 1_200_000);
