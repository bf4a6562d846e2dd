import { type Difference, MOST_IMPORT_ROWS, type PeopleImported } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { usageError } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { confirmFlags, outputAliases, type OutputFlags, outputFlags, writeFlags } from '../flags/output.ts';
import { jsonFile, textFile } from '../named-file.ts';
import { confirmed } from '../noun/write.ts';
import { printObject } from '../output/formats.ts';
import { printDifference } from '../output/print-difference.ts';
import { visible } from '../output/visible-text.ts';

interface Flags extends OutputFlags, ConnectionFlags {
  readonly complete: boolean;
  readonly skipBadRows: boolean;
  readonly leaversAtMost?: number | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Shows first what it would do; a row that cannot be taken refuses all, unless it is told to skip it. */
export const peopleImport: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, file) {
    const { host } = this;
    const body = {
      ...(file.endsWith('.json')
        ? { rows: rowsOf(jsonFile(host, file), file) }
        : { csv: textFile(host, file) }),
      complete: flags.complete,
      skip_bad_rows: flags.skipBadRows,
      ...(flags.leaversAtMost === undefined ? {} : { leavers_at_most: flags.leaversAtMost }),
    };
    await withAdmin(host, flags, async ({ table }) => {
      if (flags.dryRun || !flags.yes) {
        const difference = (await table.preview('people.import', { body })) as Difference;
        await printDifference(
          host,
          difference,
          flags.dryRun ? flags.output : 'table',
          flags.dryRun ? 'stdout' : 'stderr',
        );
        if (difference.import !== undefined) for (const line of storyOf(difference.import)) say(host, line);
        if (flags.dryRun || difference.changes.length === 0) return;
        if (!(await confirmed(this))) return this.setExitCode(EXIT_CODES.difference);
      }
      const done = (await table.call('people.import', { body })).body as PeopleImported;
      for (const line of storyOf(done)) say(host, line);
      if (flags.output !== 'table') await printObject(host, flags.output, done, () => file);
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'A file of people: CSV, or JSON when its name ends so', parse: String, placeholder: 'FILE' },
      ],
    },
    flags: {
      complete: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'It names everybody: who is missing in it has left',
      },
      skipBadRows: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Take the other rows when one cannot be taken',
      },
      leaversAtMost: {
        kind: 'parsed',
        parse: countOf,
        optional: true,
        placeholder: 'number',
        brief: 'With --complete: refused when more are missing; 10, or a tenth of all, when left out',
      },
      ...writeFlags,
      ...confirmFlags,
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Enter and change people by a file; shown first',
    customUsage: ['people.csv', 'everybody.csv --complete --yes', 'people.csv --skip-bad-rows --dry-run'],
  },
});

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text) || count < 1 || count > MOST_IMPORT_ROWS)
    throw new Error(`Write a number from 1 to ${MOST_IMPORT_ROWS}.`);
  return count;
}

function rowsOf(value: unknown, file: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw usageError(`${file} is not an array of people.`);
}

function storyOf(done: PeopleImported): readonly string[] {
  const { created, changed, unchanged, left, bad_rows: bad, bad_row_count: badCount } = done;
  const lines = [`${created} new, ${changed} changed, ${unchanged} as they were, ${left} left.`];
  for (const { row, line, column, member, detail } of bad) {
    const where = line === null ? `row ${row}` : `line ${line}${column === null ? '' : `, column ${column}`}`;
    lines.push(visible(`Skipped ${where}${member === null ? '' : ` (${member})`}: ${detail}`));
  }
  if (badCount > bad.length) lines.push(`Skipped ${badCount - bad.length} more.`);
  return lines;
}
