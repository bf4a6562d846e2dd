import { csvLine } from './csv.ts';
import type { ReviewItem } from './reviews.ts';

/** The evidence of a campaign as a sheet: one row an item. */
export const REVIEW_REPORT_COLUMNS: readonly (readonly [string, (item: ReviewItem) => string])[] = [
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

/** Lines of a page; the header goes before the first one. */
export function reviewReportCsv(items: readonly ReviewItem[], first: boolean): string {
  const header = first ? csvLine(REVIEW_REPORT_COLUMNS.map(([name]) => name)) : '';
  return (
    header + items.map((item) => csvLine(REVIEW_REPORT_COLUMNS.map(([, value]) => value(item)))).join('')
  );
}
