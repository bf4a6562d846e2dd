import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import { type AdminConnection, withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { usageError } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import type { Host } from '../host.ts';
import { jsonText, printList } from '../output/formats.ts';
import { visible } from '../output/visible-text.ts';
import { type Finding, placeText } from '../scan/finding.ts';
import { createProgress, type Progress } from '../scan/progress.ts';
import { findingView, sarifOf } from '../scan/report-text.ts';
import { ownVersion } from '../version.ts';

const FORMATS = ['table', 'json', 'sarif'] as const;
/** More than anybody reads; the scan goes on and counts. */
const MOST_KEPT = 10_000;

interface Flags extends ConnectionFlags {
  readonly output: (typeof FORMATS)[number];
  readonly git: boolean;
  readonly env: boolean;
  readonly report: boolean;
}

export const scan: Command<CliContext> = buildCommand<Flags, string[], CliContext>({
  async func(flags, ...paths) {
    const { host } = this;
    const stop = new AbortController();
    const listening = host.onStopSignal(() => stop.abort());
    try {
      const progress = createProgress(host, (path) => visible(nameOf(host, path)));
      const { findings, more } = await look(host, flags, paths, progress, stop.signal);
      const looked = progress.end();
      await print(host, flags.output, findings);
      if (stop.signal.aborted) {
        say(host, `Interrupted: ${looked} looked at.`);
        return this.setExitCode(EXIT_CODES.interrupted);
      }
      const count = findings.length + more;
      say(host, `${count} ${count === 1 ? 'secret' : 'secrets'} found; looked at ${looked}.`);
      if (more > 0) say(host, `The first ${MOST_KEPT} are shown.`);
      if (flags.report) await withAdmin(host, flags, (admin) => report(host, admin, findings));
      if (count > 0) this.setExitCode(EXIT_CODES.difference);
      else if (!progress.complete()) this.setExitCode(EXIT_CODES.failure);
    } finally {
      listening();
    }
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        brief: 'File or folder; the present one when left out',
        parse: String,
        placeholder: 'PATH',
      },
    },
    flags: {
      git: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Look through the git history of the folders in place of their files',
      },
      env: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Look through the environment; with no PATH, through nothing else',
      },
      report: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Tell the authority of those that it made, so that it stops them',
      },
      output: { kind: 'enum', values: FORMATS, default: 'table', brief: 'How to print the answer on stdout' },
      ...connectionFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Find secrets in files, in the environment and in git history; 6 when there are any',
    customUsage: ['', 'src config --report', '--git .', '--env', '. -o sarif > secrets.sarif'],
  },
});

interface Looked {
  readonly findings: readonly Finding[];
  /** How many there are beside. */
  readonly more: number;
}

async function look(
  host: Host,
  flags: Flags,
  given: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<Looked> {
  const { scanEnvironment } = await import('../scan/scan-environment.ts');
  const { scanFiles } = await import('../scan/scan-files.ts');
  const { scanHistory } = await import('../scan/scan-history.ts');
  const deps = { now: host.now(), progress, signal };
  const findings: Finding[] = [];
  let more = 0;
  const keep = (finding: Finding): void => {
    if (findings.length < MOST_KEPT) findings.push(named(host, finding));
    else more++;
  };
  if (flags.env) for (const finding of scanEnvironment(host.env, deps.now)) keep(finding);
  const paths = given.length > 0 ? given : flags.env && !flags.git ? [] : ['.'];
  for (const path of paths) {
    const full = resolve(host.cwd, path);
    const stat = statSync(full, { throwIfNoEntry: false });
    if (stat === undefined) throw usageError(`There is no file or folder ${path}.`);
    if (flags.git && !stat.isDirectory())
      throw usageError(`${path} is no folder: --git looks through folders.`);
    try {
      for await (const finding of flags.git ? scanHistory(deps, full) : scanFiles(deps, full)) keep(finding);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return { findings, more };
}

/** Paths as they are seen from here. */
function named(host: Pick<Host, 'cwd'>, finding: Finding): Finding {
  const { place } = finding;
  return place.kind === 'file'
    ? { ...finding, place: { ...place, path: nameOf(host, place.path) } }
    : finding;
}

function nameOf({ cwd }: Pick<Host, 'cwd'>, path: string): string {
  const near = relative(cwd, path);
  return near === '' || near.startsWith('..') ? path : near;
}

async function print(host: Host, format: Flags['output'], findings: readonly Finding[]): Promise<void> {
  if (format === 'table') {
    await printList(host, 'table', findings, {
      name: ({ found }) => found.fingerprint,
      columns: [
        { header: 'WHERE', value: ({ place }) => placeText(place) },
        { header: 'WHAT', value: ({ found }) => found.pattern.name },
        { header: 'SECRET', value: ({ found }) => found.masked },
        { header: 'SHA-256', value: ({ found }) => found.fingerprint.slice(0, 16) },
      ],
    });
    return;
  }
  const shown = format === 'json' ? findings.map(findingView) : sarifOf(findings, ownVersion());
  host.stdout.write(`${jsonText(shown)}\n`);
}

/** Of each secret once, wherever it was found first. Foreign ones go nowhere. */
async function report(host: Host, admin: AdminConnection, findings: readonly Finding[]): Promise<void> {
  const ours = new Map<string, Finding>();
  for (const finding of findings) {
    const { found } = finding;
    if (found.pattern.ours === true && !ours.has(found.fingerprint)) ours.set(found.fingerprint, finding);
  }
  for (const { found, place } of ours.values()) {
    const where = visible(placeText(place)).slice(0, 500).trim();
    await admin.table.call('leaks.report', {
      body: { secret: found.secret, where, found_by: 'countersign scan' },
    });
    say(host, `Reported ${found.masked} in ${where}.`);
  }
  if (ours.size === 0)
    say(host, 'There is nothing to report: none of them was made by an authority of this kind.');
}
