import type { ReviewOutlook } from '@countersign/admin-api';
import { type Column, tableLines } from './table.ts';

const REVIEWERS: readonly Column<ReviewOutlook['reviewers'][number]>[] = [
  { header: 'REVIEWER', value: ({ reviewer }) => reviewer },
  { header: 'ITEMS', value: ({ items }) => String(items) },
];

/** Before a campaign: how much there is to decide, who would be asked, and what would go to the fallback. */
export function reviewOutlookLines(outlook: ReviewOutlook, width: number | undefined): readonly string[] {
  const { items, too_many: tooMany, assigned, unused, reviewers, to_fallback: toFallback } = outlook;
  if (items === 0) return ['No active access matches.'];
  const known = `${unused} of them known not to be used`;
  return [
    tooMany
      ? `More than ${items - 1} accesses match: it would not start. Narrow the query.`
      : `${items} ${items === 1 ? 'access' : 'accesses'} to decide on, ${known}.`,
    ...(assigned < items ? [`Of the first ${assigned}:`] : []),
    ...tableLines(REVIEWERS, reviewers, width),
    ...(toFallback === 0
      ? []
      : [`${toFallback} go to the fallback: who was to be asked may not decide, or is nobody.`]),
  ];
}
