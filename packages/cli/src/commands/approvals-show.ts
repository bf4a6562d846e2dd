import type { Approval } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printList, printObject } from '../output/formats.ts';
import type { Column } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags;

interface Member {
  readonly name: string;
  readonly now: unknown;
  readonly asked: unknown;
  readonly differs: boolean;
}

const COLUMNS: readonly Column<Member>[] = [
  { header: '', value: ({ differs }) => (differs ? '*' : '') },
  { header: 'MEMBER', value: ({ name }) => name },
  { header: 'NOW', value: ({ now }) => textOf(now) },
  { header: 'ASKED', value: ({ asked }) => textOf(asked) },
];

/** What is asked for beside what is so now, whom it waits for, and the hash that a decision names. */
export const approvalsShow: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('approvals.get', { params: { id } }),
    );
    if (flags.output !== 'table') {
      await printObject(host, flags.output, body, (item) => item.id);
      return;
    }
    say(host, storyOf(body));
    await printList(host, 'table', membersOf(body), { columns: COLUMNS, name: ({ name }) => name });
    for (const { rule, step, quorum, given, roles, teams, people } of body.steps) {
      const whom = [...roles, ...teams, ...people].join(', ');
      say(host, `rule ${rule}, step ${step}: ${given} of ${quorum} of ${whom}`);
    }
    for (const { decision, person, comment, at } of body.decisions) {
      say(host, `${at} ${person}: ${decision}${comment === null ? '' : `, "${comment}"`}`);
    }
    say(host, `content_hash ${body.content_hash}`);
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id', parse: String, placeholder: 'APPROVAL' }],
    },
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
  },
  docs: {
    brief: 'What is asked for, its hash, and what it changes against the present',
    customUsage: ['arq_0123456789abcdefghij'],
  },
});

function storyOf({
  subject,
  client_id: who,
  resource,
  state,
  requested_by: by,
  expires_at: end,
}: Approval): string {
  const what = subject.kind === 'identity' ? `the identity ${who}` : `access of ${who} to ${resource ?? '?'}`;
  return `${by} asks for ${what}: ${state}${state === 'pending' ? `, until ${end}` : ''}.`;
}

function membersOf({ content, present, changes }: Approval): readonly Member[] {
  return Object.entries(content).map(([name, asked]) => ({
    name,
    now: present?.[name],
    asked,
    differs: changes.includes(name),
  }));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? value.join(' ')
    : JSON.stringify(value);
}
