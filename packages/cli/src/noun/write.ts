import type { Difference, OperationId } from '@countersign/admin-api';
import { operations } from '@countersign/admin-api';
import type { AdminConnection } from '../connection/admin.ts';
import type { TableInput } from '../connection/admin-table.ts';
import { type CliContext, say } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import type { OutputFormat } from '../output/formats.ts';
import { printDifference } from '../output/print-difference.ts';

export interface Consent {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly output: OutputFormat;
  readonly caution?: string | undefined;
}

/**
 * Whether a write may go ahead. `--dry-run` shows what it would change and stops. What destroys is shown first unless
 * `--yes` was given: on a terminal the answer decides, elsewhere it stops with exit code 6. Where nothing would change there is
 * nothing to ask, and it stops with 0.
 */
export async function mayProceed(
  context: CliContext,
  admin: AdminConnection,
  id: OperationId,
  input: TableInput,
  consent: Consent,
): Promise<boolean> {
  const careful = operations[id].destructive && !consent.yes;
  if (!consent.dryRun && !careful) return true;
  const difference = (await admin.table.preview(id, input)) as Difference;
  if (consent.dryRun) {
    await printDifference(context.host, difference, consent.output, 'stdout');
    if (consent.caution !== undefined) say(context.host, consent.caution);
    return false;
  }
  await printDifference(context.host, difference, 'table', 'stderr');
  if (difference.changes.length === 0) return false;
  if (consent.caution !== undefined) say(context.host, consent.caution);
  if (await confirmed(context)) return true;
  context.setExitCode(EXIT_CODES.difference);
  return false;
}

/** Asks on a terminal; elsewhere says how to go on. */
export async function confirmed({ host }: CliContext): Promise<boolean> {
  if (!host.stdin.isTTY || !host.stderr.isTTY) {
    say(host, 'Nothing was changed. To do it: the same with --yes');
    return false;
  }
  const answer = await host.stdin.ask('Do it? Type yes: ');
  if (answer?.trim().toLowerCase() === 'yes') return true;
  say(host, 'Nothing was changed.');
  return false;
}
