import type { Access, AccessUsage } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { spanText } from '../flags/time.ts';
import { printList, printObject } from '../output/formats.ts';
import type { Column } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags & { readonly within?: string | undefined };

type ScopeUsage = AccessUsage['scopes'][number];

const COLUMNS: readonly Column<ScopeUsage>[] = [
  { header: 'SCOPE', value: ({ scope }) => scope },
  { header: 'USE', value: ({ state }) => state },
  { header: 'LAST USED', value: ({ last_used: at }) => at ?? '' },
  { header: 'DAYS', value: ({ days }) => String(days.length) },
  { header: 'CALLS', value: ({ ok }) => String(ok) },
  { header: 'REFUSED', value: ({ denied }) => String(denied) },
];

/** What of an access is used, scope by scope, and how much of the time could be seen. */
export const accessShow: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('access.get', { params: { id }, query: { within: flags.within } }),
    );
    if (flags.output !== 'table' || body.usage === undefined) {
      await printObject(host, flags.output, body, (item) => item.id);
      return;
    }
    say(host, storyOf(body, body.usage));
    await printList(host, 'table', body.usage.scopes, { columns: COLUMNS, name: ({ scope }) => scope });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id', parse: String, placeholder: 'ACCESS' }],
    },
    flags: {
      within: {
        kind: 'parsed',
        parse: spanText,
        optional: true,
        placeholder: 'span',
        brief: 'What is looked at; 30d when left out',
      },
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'What of an access is used, scope by scope',
    customUsage: ['acs_0123456789abcdefghij --within 90d', 'acs_0123456789abcdefghij -o json'],
  },
});

function storyOf({ client_id: who, resource }: Access, { state, since, coverage }: AccessUsage): string {
  const seen = `${Math.floor(coverage * 100)} % of the time from ${since} until five minutes ago could be seen`;
  return `${who} at ${resource}: ${state}. ${seen}.`;
}
