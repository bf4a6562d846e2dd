import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../context.ts';

/** What the completion scripts call: the words so far, the last of them unfinished. */
export const complete: Command<CliContext> = buildCommand<Record<never, never>, string[], CliContext>({
  async func(_flags, ...words) {
    for (const { completion, brief } of await this.propose(words)) {
      if (completion !== '--') this.host.stdout.write(`${completion}\t${brief}\n`);
    }
  },
  parameters: {
    positional: { kind: 'array', parameter: { brief: 'Words so far', parse: String, placeholder: 'WORD' } },
  },
  docs: { brief: 'Propose how a command line may go on' },
});
