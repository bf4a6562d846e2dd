// The face of @countersign/cli: running a command line inside another program, as tests and tools do.
export { EXIT_CODES, type ExitCode } from './exit-code.ts';
export type { Host, Input, Output, StopSignal } from './host.ts';
export { runCommandLine } from './main.ts';
