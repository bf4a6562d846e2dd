import type {
  CutoffOutlook,
  EndsAlso,
  ObjectChange,
  RecentCallers,
  ReviewOutlook,
} from '@countersign/admin-api';
import type { Host } from '../host.ts';
import { outlookLines } from './cutoff-reach.ts';
import { differenceLines } from './difference.ts';
import { jsonText, type OutputFormat, yamlText } from './formats.ts';
import { foreseenTimesLines, recentCallerLines } from './decommissioning.ts';
import { reviewOutlookLines } from './review-outlook.ts';
import { painter } from './style.ts';
import { endsAlsoLines } from './ends-also.ts';
import { visible, visibleInQuotes } from './visible-text.ts';

/** What would change: on stdout where it was asked for, on stderr where it is only a warning. */
export async function printDifference(
  host: Pick<Host, 'stdout' | 'stderr' | 'env'>,
  difference: {
    readonly changes: readonly ObjectChange[];
    readonly ends_also?: readonly EndsAlso[] | undefined;
    readonly outlook?: CutoffOutlook | undefined;
    readonly recent?: RecentCallers | undefined;
    readonly review?: ReviewOutlook | undefined;
  },
  output: OutputFormat,
  on: 'stdout' | 'stderr',
): Promise<void> {
  const target = host[on];
  if (output === 'json') return target.write(`${jsonText(difference)}\n`);
  if (output === 'yaml') return target.write(await yamlText(difference));
  if (output === 'table') {
    const { changes, ends_also: endsAlso, outlook, recent, review } = difference;
    const width = target.columns;
    const parts = [
      differenceLines(changes, painter(target, host.env)),
      foreseenTimesLines(changes),
      endsAlsoLines(endsAlso ?? []),
      outlook === undefined ? [] : outlookLines(outlook, width),
      recent === undefined ? [] : recentCallerLines(recent, width),
      review === undefined ? [] : reviewOutlookLines(review, width),
    ];
    const text = parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
    return target.write(`${text.join('\n\n')}\n`);
  }
  for (const change of difference.changes) {
    target.write(
      output === 'name' ? `${visible(change.name)}\n` : `${visibleInQuotes(JSON.stringify(change))}\n`,
    );
  }
}
