import { buildCommand, type Command } from '@stricli/core';
import { fetchFor } from '../connection/admin.ts';
import { type ConnectionFlags, resolveAuthority, resolveCaller } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { splitWords } from '../flags/words.ts';
import { jsonText, yamlText } from '../output/formats.ts';

interface Flags extends ConnectionFlags {
  readonly resource?: string | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly output: 'token' | 'json' | 'yaml';
}

export const tokenGet: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const authority = resolveAuthority(this.host, flags);
    const caller = await resolveCaller(this.host, flags, authority);
    const { createClient } = await import('@countersign/client');
    const client = createClient({
      issuer: authority.issuer,
      ...caller,
      fetch: fetchFor(this.host, authority),
    });
    try {
      const scope = splitWords(flags.scope ?? []).join(' ');
      const token = await client.token({
        ...(flags.resource === undefined ? {} : { resource: flags.resource }),
        ...(scope === '' ? {} : { scope }),
      });
      if (flags.output === 'token') return this.host.stdout.write(`${token.accessToken}\n`);
      const answer = {
        access_token: token.accessToken,
        token_type: token.tokenType,
        scope: token.scope,
        expires_at: new Date(token.expiresAt * 1000).toISOString(),
      };
      this.host.stdout.write(flags.output === 'json' ? `${jsonText(answer)}\n` : await yamlText(answer));
    } finally {
      await client.close();
    }
  },
  parameters: {
    flags: {
      resource: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'uri',
        brief: 'API that the token is for; may be left out where there is only one',
      },
      scope: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'names',
        brief: 'Scopes that are needed; all that are held when left out',
      },
      output: {
        kind: 'enum',
        values: ['token', 'json', 'yaml'],
        default: 'token',
        brief: 'The token alone, or the whole answer',
      },
      ...connectionFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Get a token and print it',
    customUsage: [
      '--client-id payments --client-secret-file payments.secret --resource https://fraud.example',
      '--resource https://fraud.example --scope fraud:read -o json',
    ],
  },
});
