import { csvLine, REVIEW_REPORT_COLUMNS, type ReviewItem } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { visible } from '../output/visible-text.ts';

type Flags = ConnectionFlags & { readonly format: 'csv' | 'ndjson' };

/** The evidence of a campaign, item by item: who decided what, when, and on what basis. */
export const reviewsReport: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    // A file has names as they are; on a terminal nothing may act.
    const shown = host.stdout.isTTY ? visible : (text: string): string => text;
    let count = 0;
    await withAdmin(host, flags, async ({ table }) => {
      if (flags.format === 'csv') host.stdout.write(csvLine(REVIEW_REPORT_COLUMNS.map(([name]) => name)));
      for await (const each of table.each('reviews.report', { params: { id }, query: { limit: 200 } })) {
        count++;
        const item = each as ReviewItem;
        host.stdout.write(
          flags.format === 'csv'
            ? csvLine(REVIEW_REPORT_COLUMNS.map(([, value]) => shown(value(item))))
            : `${JSON.stringify(item)}\n`,
        );
      }
    });
    say(host, `${count} items.`);
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id', parse: String, placeholder: 'REVIEW' }],
    },
    flags: {
      format: {
        kind: 'enum',
        values: ['csv', 'ndjson'],
        default: 'csv',
        brief: 'A sheet in which no cell is a formula, or one JSON object a line',
      },
      ...connectionFlags,
    },
  },
  docs: {
    brief: 'Who decided what, when and on what basis, as a file',
    customUsage: ['rvw_0123456789abcdefghij > review.csv', 'rvw_0123456789abcdefghij --format ndjson'],
  },
});
