import type { ObjectChange } from '@countersign/admin-api';
import type { Host } from '../host.ts';
import { differenceLines } from './difference.ts';
import { jsonText, type OutputFormat, yamlText } from './formats.ts';
import { painter } from './style.ts';
import { visible, visibleInQuotes } from './visible-text.ts';

/** What would change: on stdout where it was asked for, on stderr where it is only a warning. */
export async function printDifference(
  host: Pick<Host, 'stdout' | 'stderr' | 'env'>,
  difference: { readonly changes: readonly ObjectChange[] },
  output: OutputFormat,
  on: 'stdout' | 'stderr',
): Promise<void> {
  const target = host[on];
  if (output === 'json') return target.write(`${jsonText(difference)}\n`);
  if (output === 'yaml') return target.write(await yamlText(difference));
  if (output === 'table') {
    return target.write(`${differenceLines(difference.changes, painter(target, host.env)).join('\n')}\n`);
  }
  for (const change of difference.changes) {
    target.write(
      output === 'name' ? `${visible(change.name)}\n` : `${visibleInQuotes(JSON.stringify(change))}\n`,
    );
  }
}
