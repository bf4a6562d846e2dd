import type { Risk } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printList, printObject } from '../output/formats.ts';
import type { Column } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags;
type Row = Risk['rows'][number];

const COLUMNS: readonly Column<Row>[] = [
  { header: 'POINTS', value: ({ points, full }) => (points === full ? `${points}` : `${points} of ${full}`) },
  { header: 'GROUP', value: ({ group }) => group },
  { header: 'FACTOR', value: ({ factor }) => factor },
  { header: 'WHY', value: ({ why }) => why },
  { header: 'FIX', value: ({ fix }) => fix ?? '' },
];

/** The score of one identity with its arithmetic: the rows sum to it. */
export const identitiesRisk: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ named }) => named.call('risk.get', { params: { id } }));
    if (flags.output !== 'table') return printObject(host, flags.output, body, () => body.client_id);
    say(host, `${body.client_id}: ${body.score} of 100, ${body.band}`);
    await printList(host, 'table', body.rows, { columns: COLUMNS, name: ({ factor }) => factor });
  },
  parameters: {
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id (idn_…), client_id or name', parse: String, placeholder: 'IDENTITY' }],
    },
  },
  docs: {
    brief: 'Show the risk of an identity, with its arithmetic and what makes each row smaller',
    customUsage: ['payments', 'payments -o json'],
  },
});
