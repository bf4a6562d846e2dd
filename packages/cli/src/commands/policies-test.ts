import type { PolicyTestReport } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { readDeclaredPolicies } from '../declared/declared-policies.ts';
import { CommandFailure } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printList } from '../output/formats.ts';

type Flags = OutputFlags & ConnectionFlags;
interface Failed {
  readonly policy: string;
  readonly test: string;
  readonly expected: string;
  readonly came: string;
  readonly why: readonly string[];
}

/** Runs what policies say of themselves; the authority is asked, and nothing is changed there. */
export const policiesTest: Command<CliContext> = buildCommand<Flags, string[], CliContext>({
  async func(flags, ...files) {
    const { host } = this;
    const documents = await readDeclaredPolicies(host, files);
    const failed: Failed[] = [];
    let passed = 0;
    await withAdmin(host, flags, async ({ client }) => {
      for (const { metadata, spec } of documents) {
        const { tests = [], ...policy } = spec;
        const { body } = await client.call('policies.test', { body: { ...policy, tests } });
        passed += body.passed;
        failed.push(...body.failed.map((each) => failureOf(metadata.name, each)));
      }
    });
    await printList(host, flags.output, failed, {
      name: ({ policy, test }) => `${policy}/${test}`,
      columns: [
        { header: 'POLICY', value: ({ policy }) => policy },
        { header: 'TEST', value: ({ test }) => test },
        { header: 'EXPECTED', value: ({ expected }) => expected },
        { header: 'CAME', value: ({ came }) => came },
        { header: 'FOUND', value: ({ why }) => why.join('; ') },
      ],
    });
    say(host, `${passed} passed, ${failed.length} failed.`);
    if (failed.length > 0) throw new CommandFailure('failure', 'A policy does not do what its tests expect.');
  },
  parameters: {
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief: 'YAML files or folders with policies, - for stdin',
        parse: String,
        placeholder: 'FILE',
      },
    },
  },
  docs: {
    brief: 'Run the tests that policies in files bring along; exit code 1 when one fails',
    customUsage: ['policies.yaml', 'declared/ -o json'],
  },
});

function failureOf(
  policy: string,
  { name, expected, came, why }: PolicyTestReport['failed'][number],
): Failed {
  return { policy, test: name, expected, came, why };
}
