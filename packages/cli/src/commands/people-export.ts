import { csvLine, IMPORT_COLUMNS, type Person } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { visible } from '../output/visible-text.ts';

type Flags = ConnectionFlags;

/** Everybody, as a file that `people import` takes and that changes nothing then. */
export const peopleExport: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    // A file has names as they are; on a terminal nothing may act.
    const shown = host.stdout.isTTY ? visible : (text: string): string => text;
    let count = 0;
    await withAdmin(host, flags, async ({ table }) => {
      host.stdout.write(csvLine(IMPORT_COLUMNS));
      for await (const person of table.each('people.list', { query: {} })) {
        count++;
        const cells = IMPORT_COLUMNS.map((column) => shown((person as Person)[column] ?? ''));
        host.stdout.write(csvLine(cells));
      }
    });
    say(host, `${count} people.`);
  },
  parameters: { flags: connectionFlags },
  docs: {
    brief: 'Write all people as a file (CSV) that `people import` takes',
    customUsage: ['> people.csv'],
  },
});
