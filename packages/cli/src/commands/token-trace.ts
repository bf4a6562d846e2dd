import type { TokenTrace, TracedToken } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printObject } from '../output/formats.ts';
import { type Column, fieldLines, tableLines } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags;
type Field = readonly [string, string];

/** What happened with one token, in its order. */
export const tokenTrace: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, jti) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('tokens.trace', { params: { jti } }),
    );
    if (flags.output !== 'table') return printObject(host, flags.output, body, () => body.token.jti);
    const lines = [...fieldLines(storyOf(body)), '', ...tableLines(COLUMNS, body.rows, host.stdout.columns)];
    for (const line of lines) host.stdout.write(`${line}\n`);
    if (!body.complete) say(host, 'More happened than is shown: countersign audit events');
    for (const note of body.notes) say(host, note);
  },
  parameters: {
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'The jti of the token', parse: String, placeholder: 'JTI' }],
    },
  },
  docs: {
    brief: 'Say what happened with a token: who asked, who approved, exchanges, use, and what ended it',
    customUsage: ['q83vEjRWeJCrze8SNFZ4kA', 'q83vEjRWeJCrze8SNFZ4kA -o json'],
  },
});

const COLUMNS: readonly Column<TokenTrace['rows'][number]>[] = [
  { header: 'SEQ', value: ({ event }) => (event === null ? '-' : String(event.seq)) },
  { header: 'AT', value: ({ at }) => at },
  { header: 'STAGE', value: ({ stage }) => stage },
  { header: 'WHO', value: ({ who }) => who },
  { header: 'WHAT', value: ({ what }) => what },
];

function storyOf({ token, identity, access, credential, use, ...trace }: TokenTrace): readonly Field[] {
  return [
    ['token', tokenLine(token)],
    ['lived', `${token.issued_at} until ${endOf(trace, token)}`],
    ...(identity === null ? [] : [['identity', identityLine(identity)] as const]),
    ...(access === null ? [] : [['access', accessLine(access)] as const]),
    ...(access?.approvals ?? []).map(
      ({ person, decision, at, comment }): Field => [
        'approval',
        `${person}: ${decision} at ${at}${comment === null ? '' : ` (${comment})`}`,
      ],
    ),
    ...(credential === null
      ? []
      : [
          [
            'credential',
            `${credential.id}, ${credential.type}, made by ${credential.made_by ?? '?'}, now ${credential.state_now}`,
          ] as const,
        ]),
    ...trace.before.map((each): Field => ['came from', tokenLine(each)]),
    ...trace.after.map((each): Field => ['became', tokenLine(each)]),
    ...(use?.scopes ?? []).map((each): Field => ['use', useLine(each)]),
  ];
}

function tokenLine({ jti, identity, subject, resource_server: api, scopes }: TracedToken): string {
  const forWhom = subject === identity ? '' : ` for ${subject}`;
  return `${jti}: ${identity}${forWhom} at ${api}, ${scopes.join(' ')}`;
}

function endOf(trace: Pick<TokenTrace, 'cut_off_at'>, token: TracedToken): string {
  const end = token.expires_at ?? 'at most a day later';
  return trace.cut_off_at === null ? end : `${end}, cut off at ${trace.cut_off_at}`;
}

function identityLine({ client_id, state, owner }: NonNullable<TokenTrace['identity']>): string {
  const others = [owner.backup, owner.team].filter((each) => each !== null).join(', ');
  return `${client_id}, ${state} then, of ${owner.person}${others === '' ? '' : ` (${others})`}`;
}

function accessLine(access: NonNullable<TokenTrace['access']>): string {
  const { id, version, scopes, requested_by: asked, approved_by: approved, justification } = access;
  return `${id} version ${version}, ${scopes.join(' ')}, asked for by ${asked}, approved by ${approved ?? '?'}: ${justification}`;
}

function useLine({ scope, state, last_used }: NonNullable<TokenTrace['use']>['scopes'][number]): string {
  return `${scope === '' ? '(no scope)' : scope}: ${state}${last_used === null ? '' : `, last ${last_used}`}`;
}
