import type { BadRow } from '@countersign/admin-api';
import { ProblemError } from './problem.ts';

/** Bad rows that an answer names; changes that a dry run shows. */
export const MOST_NAMED = 100;
export const MOST_SHOWN = 2000;

/** How many problems a problem document names. */
const MOST_ERRORS = 20;

/** The refusal of an import as a whole. */
export function badRows(bad: readonly BadRow[], rows: number, outcome: string): ProblemError {
  const [first] = bad;
  const more = bad.length === 1 ? '' : ` (and ${bad.length - 1} more)`;
  return new ProblemError('validation_failed', {
    detail: `${bad.length} of ${rows} rows cannot be taken, ${outcome}: ${first === undefined ? '' : textOf(first)}${more}`,
    errors: bad.slice(0, MOST_ERRORS).map((each) => ({
      pointer:
        each.line === null ? `/rows/${each.row - 1}${each.member === null ? '' : `/${each.member}`}` : '/csv',
      detail: textOf(each),
    })),
  });
}

function textOf({ row, line, column, member, detail }: BadRow): string {
  const where = line === null ? `row ${row}` : `line ${line}${column === null ? '' : `, column ${column}`}`;
  return `${where}${member === null ? '' : ` (${member})`}: ${detail}`;
}
