import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { receiptLines } from '../output/cutoff-reach.ts';
import { printObject } from '../output/formats.ts';
import { fieldLines } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags;

/** One order with its receipts. */
export const cutoffsShow: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('cutoffs.get', { params: { id } }),
    );
    if (flags.output !== 'table') return printObject(host, flags.output, body, () => body.id);
    const story = fieldLines([
      ['id', body.id],
      ['cut off', `${body.kind} ${body.target}`],
      ['why', body.reason],
      ['ordered', `${body.created_at} by ${body.ordered_by}`],
      ['refused', `tokens issued up to ${body.not_before}`],
      ['confirmed', body.all_confirmed ? 'by every verifier that follows' : 'not yet by all that follow'],
    ]);
    for (const line of [...story, '', ...receiptLines(body, host.stdout.columns)])
      host.stdout.write(`${line}\n`);
  },
  parameters: {
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id (cut_…)', parse: String, placeholder: 'CUTOFF' }],
    },
  },
  docs: {
    brief: 'Show a cut-off with its receipts: who obeys it, since when, and what was tried afterwards',
    customUsage: ['cut_0123456789abcdefghij'],
  },
});
