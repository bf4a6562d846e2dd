import type { ApplyResult } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { type AdminConnection, withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { type DeclaredRequest, readDeclaredRequest } from '../declared/declared-request.ts';
import { type DeclaredFlags, declaredFlags } from '../declared/flags.ts';
import { awaitSecrets } from '../declared/made-secrets.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { connectionFlags } from '../flags/connection.ts';
import {
  type ConfirmFlags,
  confirmFlags,
  type OutputFlags,
  outputFlags,
  type WriteFlags,
  writeFlags,
} from '../flags/output.ts';
import { confirmed } from '../noun/write.ts';
import { sayWarnings } from '../output/warnings.ts';
import { printDifference } from '../output/print-difference.ts';

type Flags = DeclaredFlags & WriteFlags & ConfirmFlags & OutputFlags & ConnectionFlags;

export const apply: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const request = await readDeclaredRequest(this.host, flags.file, flags.prune);
    await withAdmin(this.host, flags, async (admin) => {
      try {
        await applyDeclared(this, admin, request, flags);
      } catch (error) {
        throw request.locateFailure(error);
      }
    });
  },
  parameters: {
    flags: { ...declaredFlags, ...writeFlags, ...confirmFlags, ...outputFlags, ...connectionFlags },
    aliases: { f: 'file', o: 'output' },
  },
  docs: {
    brief: 'Bring declared objects about',
    customUsage: ['-f authority.yaml', '-f declared/ --dry-run', '-f declared/ --prune --yes'],
  },
});

/** The plan comes first: it says which secrets will be made, and whether anything ends, which needs a yes. */
async function applyDeclared(
  context: CliContext,
  admin: AdminConnection,
  request: DeclaredRequest,
  flags: Flags,
): Promise<void> {
  const { host } = context;
  const plan = await admin.client.preview('apply.run', { body: request.body });
  if (flags.dryRun) return printDifference(host, plan, flags.output, 'stdout');
  if (plan.changes.some((change) => change.op === 'delete') && !flags.yes) {
    await printDifference(host, plan, 'table', 'stderr');
    if (!(await confirmed(context))) return context.setExitCode(EXIT_CODES.difference);
  }
  const awaited = awaitSecrets(host, request.awaited);
  let result: ApplyResult;
  try {
    result = (await admin.client.call('apply.run', { body: request.body })).body;
  } catch (error) {
    // What was carried out before it stopped may have made secrets, and they are told only here.
    awaited.keep((error as ApplyErrorShape | undefined)?.problem?.secrets ?? []);
    throw error;
  }
  awaited.keep(result.secrets);
  sayWarnings(context, result);
  await printDifference(host, { changes: result.changes }, flags.output, 'stdout');
}

interface ApplyErrorShape {
  readonly problem?: { readonly secrets?: ApplyResult['secrets'] };
}
