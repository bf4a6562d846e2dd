import type { AccessHolder } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { parseInstant } from '../flags/time.ts';
import { printList } from '../output/formats.ts';
import type { Column } from '../output/table.ts';

type Flags = OutputFlags &
  ConnectionFlags & {
    readonly resourceServer: string;
    readonly scope: string;
    readonly at?: string | undefined;
  };

const COLUMNS: readonly Column<AccessHolder>[] = [
  { header: 'IDENTITY', value: (holder) => holder.client_id },
  { header: 'STATE', value: (holder) => holder.identity_state },
  { header: 'OWNER', value: (holder) => holder.owner.person },
  { header: 'ACCESS', value: (holder) => holder.access },
  { header: 'SINCE', value: (holder) => holder.since },
  { header: 'EXPIRES', value: (holder) => holder.expires_at },
  { header: 'REQUESTED BY', value: (holder) => holder.requested_by },
  { header: 'APPROVED BY', value: (holder) => holder.approved_by ?? '' },
];

/** Who held a scope at an instant, and who had approved it: all of them. */
export const accessHolders: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const at = flags.at === undefined ? undefined : parseInstant(flags.at, host.now(), 'back');
    const query = { resource_server: flags.resourceServer, scope: flags.scope, at };
    const held = await withAdmin(host, flags, async ({ named }) => {
      const found: AccessHolder[] = [];
      for await (const holder of named.each('access.holders', { query })) found.push(holder);
      return found;
    });
    await printList(host, flags.output, held, { columns: COLUMNS, name: (holder) => holder.client_id });
    if (held.length === 0) say(host, 'Nobody held it.');
  },
  parameters: {
    flags: {
      resourceServer: { kind: 'parsed', parse: String, placeholder: 'api', brief: 'Id, identifier or name' },
      scope: { kind: 'parsed', parse: String, placeholder: 'scope', brief: 'What they could use' },
      at: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'time',
        brief: 'As it was then; now when left out',
      },
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Who held a scope at an instant, and who approved it',
    customUsage: [
      '--resource-server https://fraud.example --scope fraud:write --at 2026-03-03T14:05:00Z',
      '--resource-server https://fraud.example --scope fraud:write -o json',
    ],
  },
});
