import type { ResourceServer } from '@countersign/admin-api';
import { discoverServer } from '@countersign/protocol/discovery';
import type { Issuer } from '@countersign/protocol';
import type { AdminConnection } from '../connection/admin.ts';
import { say } from '../context.ts';
import type { Host } from '../host.ts';
import { nearPath } from '../near-path.ts';
import { jsonText } from '../output/formats.ts';
import { visible } from '../output/visible-text.ts';
import { LANGUAGES, type Language, snippetsOf } from '../snippets/snippets.ts';
import type { Connection } from './make-connection.ts';

export interface ReportOptions {
  readonly output: 'text' | 'json';
  readonly language: Language | undefined;
  /** undefined where the secret was shown. */
  readonly secretFile: string | undefined;
}

/** Says what was made, and prints programs that use it. */
export async function reportConnection(
  host: Host,
  admin: AdminConnection,
  api: ResourceServer,
  made: Connection,
  options: ReportOptions,
): Promise<void> {
  const { authority } = admin;
  const metadata = await discoverServer(authority.issuer as Issuer, { fetch: admin.fetch });
  const snippets = snippetsOf(
    {
      issuer: authority.issuer,
      tokenEndpoint: metadata.token_endpoint,
      clientId: made.identity.client_id,
      secretFile: nearPath(host.cwd, options.secretFile ?? `${made.identity.client_id}.secret`),
      resource: api.identifier,
      scope: made.access.scopes.join(' '),
      caFile: authority.caFile === undefined ? undefined : nearPath(host.cwd, authority.caFile),
      url: /^https?:/.test(api.identifier) ? api.identifier : 'https://api.example/',
    },
    options.language === undefined ? LANGUAGES : [options.language],
  );
  if (options.output === 'json') {
    const calls = Object.fromEntries(snippets.map(({ language, code }) => [language, code]));
    return host.stdout.write(`${jsonText({ ...made, secret_file: options.secretFile ?? null, calls })}\n`);
  }
  const { identity, access, credential } = made;
  say(host, visible(`${identity.client_id} may use ${access.scopes.join(' ')} at ${api.identifier}`));
  say(host, `  identity    ${identity.id}, ${identity.state}, until ${identity.expires_at}`);
  say(host, `  access      ${access.id}, until ${access.expires_at}`);
  say(host, `  credential  ${credential.id}, until ${credential.expires_at}`);
  if (options.secretFile !== undefined)
    say(host, `  secret      ${nearPath(host.cwd, options.secretFile)} (mode 0600)`);
  for (const { title, code } of snippets) {
    host.stdout.write(options.language === undefined ? `\n── ${title}\n${code}\n` : `${code}\n`);
  }
}
