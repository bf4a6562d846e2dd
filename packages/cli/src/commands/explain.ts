import type { Explanation } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { withFix } from '../noun/where-to-look.ts';
import { printObject } from '../output/formats.ts';
import { fieldLines } from '../output/table.ts';

type Flags = OutputFlags & ConnectionFlags;

const WHERE_IT_IS = 'It is in the header Request-Id of the answer: req_…';

export const explain: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, requestId) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('explain.get', { params: { request_id: requestId } }).catch((error: unknown) => {
        throw requestId.startsWith('req_') ? error : withFix(error, WHERE_IT_IS);
      }),
    );
    if (flags.output !== 'table') return printObject(host, flags.output, body, () => body.request_id);
    for (const line of fieldLines(storyOf(body))) host.stdout.write(`${line}\n`);
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Request-Id of the answer', parse: String, placeholder: 'REQUEST_ID' }],
    },
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Say what happened in a request, why, and how to fix it',
    customUsage: ['req_0123456789abcdefghij', 'req_0123456789abcdefghij -o json'],
  },
});

function storyOf(story: Explanation): readonly (readonly [string, string])[] {
  const { identity } = story;
  return [
    ['what', story.summary],
    ['why', story.why],
    ...(story.fix === null ? [] : [['fix', story.fix] as const]),
    ...(identity === null
      ? []
      : [
          [
            'identity',
            `${identity.client_id}, ${identity.state}${stateReason(identity.state_reason)}, until ${identity.expires_at}`,
          ] as const,
        ]),
    ...story.events.map(
      (event) =>
        [
          'event',
          `${event.at} ${event.type} ${event.outcome}${event.reason === undefined ? '' : ` ${event.reason}`}`,
        ] as const,
    ),
  ];
}

function stateReason(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}
