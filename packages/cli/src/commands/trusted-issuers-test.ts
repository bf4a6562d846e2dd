import type { AssertionReport } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { readToken, type TokenFlags, tokenFlags } from '../flags/token.ts';
import { printObject } from '../output/formats.ts';
import { fieldLines } from '../output/table.ts';

type Flags = TokenFlags & OutputFlags & ConnectionFlags;

/** Sends the token to the authority, which says what it makes of it, and neither takes nor keeps it. */
export const trustedIssuersTest: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const assertion = await readToken(host, flags);
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('trusted-issuers.test', { body: { assertion } }),
    );
    if (flags.output === 'table') {
      for (const line of fieldLines(storyOf(body))) host.stdout.write(`${line}\n`);
    } else await printObject(host, flags.output, body, () => body.client_id ?? body.reason ?? '');
    if (!body.accepted) {
      throw new CommandFailure('denied', body.why, body.fix === null ? undefined : { fix: body.fix });
    }
  },
  parameters: { flags: { ...tokenFlags, ...outputFlags, ...connectionFlags }, aliases: outputAliases },
  docs: {
    brief: 'Say which rule a token would meet, or why it meets none',
    customUsage: ['--token-file token.jwt', '< token.jwt -o json'],
  },
});

function storyOf(report: AssertionReport): readonly (readonly [string, string])[] {
  return [
    ['taken', report.accepted ? 'yes' : `no: ${report.reason ?? ''}`],
    ...(report.client_id === null ? [] : [['identity', report.client_id] as const]),
    ...(report.trusted_issuer === null ? [] : [['issuer', report.trusted_issuer] as const]),
    ...report.rules.map((rule) => ['rule', ruleText(rule)] as const),
  ];
}

function ruleText(rule: AssertionReport['rules'][number]): string {
  const of = `${rule.credential} of ${rule.client_id}`;
  if (rule.met) return `${of}: met`;
  const actual = rule.actual === null ? 'it is not in the token' : `it is "${rule.actual}"`;
  return `${of}: wants ${rule.claim ?? ''} to be "${rule.expected ?? ''}", ${actual}`;
}
