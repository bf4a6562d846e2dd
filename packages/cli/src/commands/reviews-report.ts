import type { ReviewItem } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { csvLine } from '../output/csv.ts';
import { visible } from '../output/visible-text.ts';

type Flags = ConnectionFlags & { readonly format: 'csv' | 'ndjson' };

const COLUMNS: readonly (readonly [string, (item: ReviewItem) => string])[] = [
  ['item', (item) => item.id],
  ['access', (item) => item.access],
  ['version', (item) => String(item.version)],
  ['client_id', (item) => item.client_id],
  ['environment', (item) => item.environment],
  ['owner', (item) => item.owner],
  ['resource', (item) => item.resource],
  ['scopes', (item) => item.scopes.join(' ')],
  ['justification', (item) => item.justification],
  ['requested_by', (item) => item.requested_by],
  ['approved_by', (item) => item.approved_by ?? ''],
  ['reviewer', (item) => item.reviewer],
  ['state', (item) => item.state],
  ['decided_by', (item) => item.decided_by ?? ''],
  ['decided_at', (item) => item.decided_at ?? ''],
  ['comment', (item) => item.comment ?? ''],
  ['scopes_after', (item) => item.scopes_after?.join(' ') ?? ''],
  ['use', (item) => item.usage?.state ?? ''],
  ['use_coverage', (item) => String(item.usage?.coverage ?? '')],
  ['last_used', (item) => item.usage?.last_used ?? ''],
  ['calls_by_scope', (item) => item.usage?.scopes.map(({ scope, ok }) => `${scope}=${ok}`).join(' ') ?? ''],
  [
    'unknown_because',
    (item) =>
      Object.entries(item.usage?.unknown_because ?? {})
        .map(([scope, why]) => `${scope}: ${why}`)
        .join('; '),
  ],
  ['remediation', (item) => item.remediation.state],
  ['remediation_reason', (item) => item.remediation.reason ?? ''],
  ['cutoff', (item) => item.remediation.cutoff ?? ''],
  ['effective_at', (item) => item.remediation.effective_at ?? ''],
];

/** The evidence of a campaign, item by item: who decided what, when, and on what basis. */
export const reviewsReport: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    // A file has names as they are; on a terminal nothing may act.
    const shown = host.stdout.isTTY ? visible : (text: string): string => text;
    let count = 0;
    await withAdmin(host, flags, async ({ table }) => {
      if (flags.format === 'csv') host.stdout.write(csvLine(COLUMNS.map(([name]) => name)));
      for await (const each of table.each('reviews.report', { params: { id }, query: { limit: 200 } })) {
        count++;
        const item = each as ReviewItem;
        host.stdout.write(
          flags.format === 'csv'
            ? csvLine(COLUMNS.map(([, value]) => shown(value(item))))
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
