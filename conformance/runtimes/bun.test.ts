import { testRuntime } from './runtime-suite.ts';

testRuntime({ name: 'Bun', variable: 'COUNTERSIGN_TEST_BUN', args: ['run'] });
