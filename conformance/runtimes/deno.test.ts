import { testRuntime } from './runtime-suite.ts';

// With no more rights than an API and a caller need.
testRuntime({
  name: 'Deno',
  variable: 'COUNTERSIGN_TEST_DENO',
  args: ['run', '--no-prompt', '--allow-net', '--allow-read', '--allow-env'],
});
