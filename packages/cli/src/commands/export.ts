import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { jsonText, yamlText } from '../output/formats.ts';
import { visibleInQuotes } from '../output/visible-text.ts';

interface Flags extends ConnectionFlags {
  readonly output: 'yaml' | 'json' | 'ndjson';
}

export const exportObjects: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) => client.call('export.get'));
    if (flags.output === 'json') host.stdout.write(`${jsonText(body.documents)}\n`);
    for (const document of flags.output === 'json' ? [] : body.documents) {
      host.stdout.write(
        flags.output === 'yaml'
          ? `---\n${await yamlText(document)}`
          : `${visibleInQuotes(JSON.stringify(document))}\n`,
      );
    }
    say(host, `${body.documents.length} objects, without secrets.`);
  },
  parameters: {
    flags: {
      output: {
        kind: 'enum',
        values: ['yaml', 'json', 'ndjson'],
        default: 'yaml',
        brief: 'How to print the documents on stdout',
      },
      ...connectionFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Write all objects as documents that `apply` takes; applying them changes nothing',
    customUsage: ['> authority.yaml', '-o json'],
  },
});
