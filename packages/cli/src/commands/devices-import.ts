import type { DevicesImported, Difference } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { resolve } from 'node:path';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { usageError } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { confirmFlags, outputAliases, type OutputFlags, outputFlags, writeFlags } from '../flags/output.ts';
import { contractFlags, type FlagValues } from '../noun/contract-flags.ts';
import { textFile } from '../named-file.ts';
import { confirmed } from '../noun/write.ts';
import { printObject } from '../output/formats.ts';
import { printDifference } from '../output/print-difference.ts';
import { visible } from '../output/visible-text.ts';
import { reserveSecretFile } from '../secrets/secret-file.ts';

type Flags = FlagValues &
  OutputFlags &
  ConnectionFlags & {
    readonly codesFile?: string | undefined;
    readonly skipBadRows: boolean;
    readonly dryRun: boolean;
    readonly yes: boolean;
  };

const DEFAULTS = contractFlags('devices.import', 'body', {
  csv: { skip: true },
  rows: { skip: true },
  codes: { skip: true },
  skip_bad_rows: { skip: true },
  codes_expire_at: { brief: 'Until when the claim codes are good' },
});

/** Shows first what it would do; a row that cannot be taken refuses all, unless it is told to skip it. */
export const devicesImport: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, file) {
    const { host } = this;
    const given = await DEFAULTS.read(flags, host);
    const text = textFile(host, file);
    const body = {
      ...given,
      ...(/\.(?:ndjson|jsonl)$/.test(file) ? { rows: rowsOf(text, file) } : { csv: text }),
      codes: flags.codesFile !== undefined,
      skip_bad_rows: flags.skipBadRows,
    };
    await withAdmin(host, flags, async ({ table }) => {
      if (flags.dryRun || !flags.yes) {
        const difference = (await table.preview('devices.import', { body })) as Difference;
        const where = flags.dryRun ? 'stdout' : 'stderr';
        await printDifference(host, difference, flags.dryRun ? flags.output : 'table', where);
        if (difference.devices !== undefined) for (const line of storyOf(difference.devices)) say(host, line);
        if (flags.dryRun || difference.changes.length === 0) return;
        if (!(await confirmed(this))) return this.setExitCode(EXIT_CODES.difference);
      }
      const place =
        flags.codesFile === undefined ? undefined : reserveSecretFile(resolve(host.cwd, flags.codesFile));
      const done = await table.call('devices.import', { body }).then(
        ({ body: answer }) => answer as DevicesImported,
        (error: unknown) => {
          place?.abandon();
          throw error;
        },
      );
      const { codes, ...rest } = done;
      place?.write(codes.map((each) => JSON.stringify(each)).join('\n'));
      for (const line of storyOf(done)) say(host, line);
      if (place !== undefined) say(host, `${codes.length} claim codes are in ${place.path} (mode 0600).`);
      if (flags.output !== 'table') await printObject(host, flags.output, rest, () => file);
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'A manifest: CSV, or a JSON object a line when its name ends with .ndjson',
          parse: String,
          placeholder: 'FILE',
        },
      ],
    },
    flags: {
      ...DEFAULTS.parameters,
      codesFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'file',
        brief: 'Where claim codes go, a JSON object a line (mode 0600); none are made when left out',
      },
      skipBadRows: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Take the other rows when one cannot be taken',
      },
      ...writeFlags,
      ...confirmFlags,
      ...outputFlags,
      ...connectionFlags,
      // The types of the contract's flags are known at run time only.
    } as never,
    aliases: outputAliases,
  },
  docs: {
    brief: 'Enter many devices by a manifest; shown first',
    customUsage: [
      'fleet.csv --codes-file fleet.codes',
      'fleet.ndjson --defaults-purpose "measures the field" --defaults-owner-person lin --codes-file fleet.codes --yes',
    ],
  },
});

function rowsOf(text: string, file: string): readonly unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      throw usageError(`${file}, line ${index + 1}: not JSON.`);
    }
  });
}

function storyOf(done: DevicesImported): readonly string[] {
  const { created, unchanged, waiting, bad_rows: bad, bad_row_count: badCount } = done;
  const lines = [`${created} new, ${unchanged} as they were.`];
  if (waiting > 0) lines.push(`${waiting} wait for approval; import the manifest again for their codes.`);
  for (const { row, line, column, member, detail } of bad) {
    const where = line === null ? `row ${row}` : `line ${line}${column === null ? '' : `, column ${column}`}`;
    lines.push(visible(`Skipped ${where}${member === null ? '' : ` (${member})`}: ${detail}`));
  }
  if (badCount > bad.length) lines.push(`Skipped ${badCount - bad.length} more.`);
  return lines;
}
