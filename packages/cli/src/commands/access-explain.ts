import type { AccessExplanation } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { parseInstant } from '../flags/time.ts';
import { printList, printObject } from '../output/formats.ts';
import type { Column } from '../output/table.ts';

type Flags = OutputFlags &
  ConnectionFlags & {
    readonly identity: string;
    readonly resourceServer: string;
    readonly scope: string;
    readonly at?: string | undefined;
  };
type Link = AccessExplanation['links'][number];

const COLUMNS: readonly Column<Link>[] = [
  { header: 'LINK', value: ({ link }) => link },
  { header: 'HOLDS', value: ({ ok }) => (ok ? 'yes' : 'no') },
  { header: 'ID', value: ({ id }) => id ?? '' },
  { header: 'WHY', value: ({ detail }) => detail },
];

/** Why a machine may use a scope, link by link, or which link stops it; at any instant. */
export const accessExplain: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const at = flags.at === undefined ? undefined : parseInstant(flags.at, host.now(), 'back');
    const query = { identity: flags.identity, resource_server: flags.resourceServer, scope: flags.scope, at };
    const { body } = await withAdmin(host, flags, ({ named }) => named.call('access.explain', { query }));
    if (flags.output !== 'table') {
      await printObject(host, flags.output, body, ({ identity }) => identity);
      return;
    }
    const may = body.allowed ? 'may' : 'may not';
    say(host, `At ${body.at} ${body.identity} ${may} use ${body.scope} at ${body.resource_server}.`);
    await printList(host, 'table', body.links, { columns: COLUMNS, name: ({ link }) => link });
  },
  parameters: {
    flags: {
      identity: { kind: 'parsed', parse: String, placeholder: 'name', brief: 'Id, client_id or name' },
      resourceServer: { kind: 'parsed', parse: String, placeholder: 'api', brief: 'Id, identifier or name' },
      scope: { kind: 'parsed', parse: String, placeholder: 'scope', brief: 'What it would use' },
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
    brief: 'Why a machine may, or may not, use a scope at an instant',
    customUsage: [
      '--identity payments --resource-server https://fraud.example --scope fraud:read',
      '--identity payments --resource-server https://fraud.example --scope fraud:read --at 2026-03-03T14:05:00Z',
    ],
  },
});
