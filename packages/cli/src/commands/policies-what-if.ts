import type { PolicyWhatIfResult } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { type AdminConnection, withAdmin } from '../connection/admin.ts';
import { namingWhatIsMissing } from '../connection/missing-name.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { readDeclaredPolicies } from '../declared/declared-policies.ts';
import { usageError } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printList } from '../output/formats.ts';

interface Flags extends OutputFlags, ConnectionFlags {
  readonly file?: string;
  readonly within?: string;
  readonly all: boolean;
}

type Item = PolicyWhatIfResult['items'][number];
interface Asked {
  readonly policy: { readonly rule: string; readonly parameters?: object; readonly match?: object };
  readonly exceptions_of?: string;
}

/** Most that are named unless all are asked for. */
const SHOWN = 200;

/** Counts and names whom a policy would refuse, by what is registered and was used; of a file, or as it stands. */
export const policiesWhatIf: Command<CliContext> = buildCommand<Flags, [string?], CliContext>({
  async func(flags, id) {
    const { host } = this;
    if ((id === undefined) === (flags.file === undefined)) {
      throw usageError('Say which policy: its id, or --file with one that need not exist.');
    }
    await withAdmin(host, flags, async (admin) => {
      for (const asked of await proposals(host, admin, id, flags.file)) {
        const items: Item[] = [];
        let cursor: string | undefined;
        do {
          const { body } = await ask(admin, { ...asked, within: flags.within, cursor, limit: SHOWN });
          if (body.summary !== null) say(host, `${sentence(body.summary.text)}.`);
          items.push(...body.items);
          cursor = flags.all ? (body.next_cursor ?? undefined) : undefined;
        } while (cursor !== undefined);
        await printList(host, flags.output, items, PRESENTATION);
      }
    });
  },
  parameters: {
    flags: {
      file: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'path',
        brief: 'YAML with the policy that is proposed, - for stdin',
      },
      within: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'span',
        brief: 'How far back use is looked at; 30d when absent',
      },
      all: { kind: 'boolean', default: false, withNegated: false, brief: 'Name all of them, however many' },
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: { ...outputAliases, f: 'file' },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Id of a policy (pol_…) that exists', parse: String, placeholder: 'POLICY', optional: true },
      ],
    },
  },
  docs: {
    brief: 'Say whom a policy would refuse if it were enforced; changes nothing',
    customUsage: [
      'pol_0123456789abcdefghij',
      '--file policies.yaml --within 90d',
      '-f policies.yaml --all -o json',
    ],
  },
});

const PRESENTATION = {
  name: (item: Item): string => item.client_id,
  columns: [
    { header: 'IDENTITY', value: (item: Item) => item.client_id },
    { header: 'ENVIRONMENT', value: (item: Item) => item.environment },
    { header: 'OWNER', value: (item: Item) => item.owner },
    { header: 'IN USE', value: (item: Item) => item.in_use },
    { header: 'CALLS', value: (item: Item) => String(item.calls) },
    {
      header: 'WHY',
      value: (item: Item) => item.breaches.map(({ subject, why }) => `${subject.kind} ${why}`).join('; '),
    },
  ],
};

async function proposals(
  host: CliContext['host'],
  { client, named }: AdminConnection,
  id: string | undefined,
  file: string | undefined,
): Promise<readonly Asked[]> {
  if (file !== undefined) {
    const documents = await readDeclaredPolicies(host, [file]);
    return documents.map(({ spec: { rule, parameters, match } }) => ({
      policy: { rule, ...given({ parameters, match }) },
    }));
  }
  const { body } = await namingWhatIsMissing(client, 'POLICY', id ?? '', () =>
    named.call('policies.get', { params: { id: id ?? '' } }),
  );
  const { rule, parameters, match } = body;
  return [{ policy: { rule, parameters, match }, exceptions_of: body.id }];
}

/** Without what was left out. */
function given(members: Readonly<Record<string, object | undefined>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

async function ask(
  { table }: AdminConnection,
  asked: Asked & {
    readonly within: string | undefined;
    readonly cursor: string | undefined;
    readonly limit: number;
  },
): Promise<{ readonly body: PolicyWhatIfResult }> {
  const body = JSON.parse(JSON.stringify(asked)) as object;
  return (await table.call('policies.what-if', { body })) as { readonly body: PolicyWhatIfResult };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
