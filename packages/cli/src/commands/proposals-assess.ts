import type { ResponseOf } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printList } from '../output/formats.ts';
import type { Column } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags;
type Verdict = ResponseOf<'proposals.assess'>['items'][number];

const COLUMNS: readonly Column<Verdict>[] = [
  { header: 'VERDICT', value: ({ verdict, kind }) => (kind === null ? verdict : `${verdict} ${kind}`) },
  { header: 'ABOUT', value: ({ subject }) => subject.kind },
  { header: 'ID', value: ({ subject }) => subject.id },
  { header: 'API', value: ({ resource }) => resource ?? '' },
  { header: 'TAKES', value: ({ change }) => change.take?.join(' ') ?? '' },
  { header: 'WHY', value: ({ reason }) => reason },
];

/** What one identity has, judged now by what it uses. */
export const proposalsAssess: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ named }) =>
      named.call('proposals.assess', { params: { id } }),
    );
    await printList(host, flags.output, body.items, { columns: COLUMNS, name: ({ subject }) => subject.id });
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
    brief: 'Judge now what an identity has by what it uses: proposed, needed or unknown, and why',
    customUsage: ['payments', 'payments -o json'],
  },
});
