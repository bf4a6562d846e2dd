import type { CutoffOutlook, ObjectChange, RecentCallers } from '@countersign/admin-api';
import type { Host } from '../host.ts';
import { outlookLines } from './cutoff-reach.ts';
import { differenceLines } from './difference.ts';
import { jsonText, type OutputFormat, yamlText } from './formats.ts';
import { recentCallerLines } from './decommissioning.ts';
import { painter } from './style.ts';
import { visible, visibleInQuotes } from './visible-text.ts';

/** What would change: on stdout where it was asked for, on stderr where it is only a warning. */
export async function printDifference(
  host: Pick<Host, 'stdout' | 'stderr' | 'env'>,
  difference: {
    readonly changes: readonly ObjectChange[];
    readonly outlook?: CutoffOutlook | undefined;
    readonly recent?: RecentCallers | undefined;
  },
  output: OutputFormat,
  on: 'stdout' | 'stderr',
): Promise<void> {
  const target = host[on];
  if (output === 'json') return target.write(`${jsonText(difference)}\n`);
  if (output === 'yaml') return target.write(await yamlText(difference));
  if (output === 'table') {
    const { changes, outlook, recent } = difference;
    const reach = outlook === undefined ? [] : ['', ...outlookLines(outlook, target.columns)];
    const callers = recent === undefined ? [] : ['', ...recentCallerLines(recent, target.columns)];
    const lines = [...differenceLines(changes, painter(target, host.env)), ...reach, ...callers];
    return target.write(`${lines.join('\n')}\n`);
  }
  for (const change of difference.changes) {
    target.write(
      output === 'name' ? `${visible(change.name)}\n` : `${visibleInQuotes(JSON.stringify(change))}\n`,
    );
  }
}
