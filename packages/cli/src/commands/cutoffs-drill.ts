import type { CutoffDrill } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { type DrillPlan, planDrill, runDrill } from '../drill/drill.ts';
import { CommandFailure } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import {
  outputAliases,
  type OutputFlags,
  outputFlags,
  type WriteFlags,
  writeFlags,
} from '../flags/output.ts';
import { printObject } from '../output/formats.ts';
import { fieldLines, tableLines } from '../output/table.ts';

interface Flags extends OutputFlags, WriteFlags, ConnectionFlags {
  readonly to?: readonly string[] | undefined;
  readonly owner: string;
  readonly within: number;
}

/** Seconds after which what has not confirmed is given up. */
const GIVE_UP_AFTER = 60;

/** Cuts off a machine that exists for this alone, and measures until everybody obeys. */
export const cutoffsDrill: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    await withAdmin(host, flags, async (admin) => {
      const plan = await planDrill(admin, flags.to);
      if (flags.dryRun) return say(host, planText(plan));
      const drill = await runDrill(admin, plan, {
        owner: flags.owner,
        now: host.now,
        giveUpAfterMs: GIVE_UP_AFTER * 1000,
        tell: (text) => say(host, text),
      });
      if (flags.output === 'table') {
        for (const line of drillLines(drill, host.stdout.columns)) host.stdout.write(`${line}\n`);
      } else await printObject(host, flags.output, drill, () => drill.cutoff);
      requireWithin(drill, flags.within);
    });
  },
  parameters: {
    flags: {
      to: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'api',
        brief: 'APIs to take part: identifier or id. Else all of which a verifier is connected',
      },
      owner: {
        kind: 'parsed',
        parse: String,
        default: 'cut-off drill',
        placeholder: 'person',
        brief: 'Accountable for the machine while it exists',
      },
      within: {
        kind: 'parsed',
        parse: milliseconds,
        default: '2000',
        placeholder: 'ms',
        brief: 'Longest time that is good; longer ends with 1',
      },
      ...writeFlags,
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Cut off a machine made for it, measure until everybody obeys, and record the time',
    customUsage: ['', '--to https://fraud.example --within 2000', '--dry-run'],
  },
});

function milliseconds(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error('Write a number of milliseconds.');
  return Number(text);
}

function planText({ apis }: DrillPlan): string {
  const names = apis.map(({ identifier, connected }) => `${identifier} (${connected} connected)`);
  return `It would make a machine with access to ${names.join(', ')}, get its tokens, cut it off, measure, and end it.`;
}

function drillLines(drill: CutoffDrill, width: number | undefined): readonly string[] {
  const ms = (value: number | null): string => (value === null ? 'never' : `${value} ms`);
  return [
    ...fieldLines([
      ['cut-off', drill.cutoff],
      ['no more tokens', ms(drill.issuance_stopped_ms)],
      ['token refused', ms(drill.refused_ms)],
      ['all confirmed', confirmedText(drill)],
    ]),
    '',
    ...tableLines(
      [
        { header: 'API', value: (each) => each.identifier },
        { header: 'CONFIRMED', value: (each) => String(each.confirmed) },
        { header: 'WAITING', value: (each) => String(each.waiting) },
        { header: 'SILENT', value: (each) => String(each.silent) },
        {
          header: 'EXPOSURE',
          value: (each) => (each.slowest_exposure_ms === null ? '-' : `${each.slowest_exposure_ms} ms`),
        },
      ],
      drill.resource_servers,
      width,
    ),
  ];
}

function confirmedText({ all_confirmed, resource_servers }: CutoffDrill): string {
  if (!all_confirmed) return 'no';
  return resource_servers.every(({ confirmed }) => confirmed === 0) ? 'nobody follows' : 'yes';
}

function requireWithin(drill: CutoffDrill, within: number): void {
  const unheard = drill.resource_servers.filter(
    ({ confirmed, waiting, silent }) => confirmed + waiting + silent === 0,
  );
  const worst = Math.max(drill.refused_ms ?? Infinity, drill.slowest_exposure_ms ?? 0);
  if (!drill.all_confirmed) {
    throw new CommandFailure('failure', 'Not every verifier has confirmed.', {
      fix: `See which: countersign cutoffs show ${drill.cutoff}`,
    });
  }
  if (unheard.length > 0) {
    const names = unheard.map(({ identifier }) => identifier).join(', ');
    throw new CommandFailure(
      'failure',
      `No verifier of ${names} follows the cut-off feed: nobody confirmed there.`,
      {
        fix: 'Start its API and drill again. Where its verifiers do not follow, tokens live there until they expire.',
      },
    );
  }
  if (drill.issuance_stopped_ms === null) throw new CommandFailure('failure', 'It still got tokens.');
  if (worst > within) {
    throw new CommandFailure(
      'failure',
      `It took ${worst === Infinity ? 'for ever' : `${worst} ms`}, and not ${within} ms.`,
    );
  }
}
