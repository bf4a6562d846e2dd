import { existsSync } from 'node:fs';
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
  /** Whether anything was not there before. */
  readonly made: boolean;
  readonly secret:
    | {
        readonly told: 'now';
        /** undefined where it was shown. */
        readonly file: string | undefined;
      }
    | {
        readonly told: 'before';
        /** Where it would be. */
        readonly file: string;
      };
}

/** Prints programs that use what was made; then, where it does not scroll away, what that is. */
export async function reportConnection(
  host: Host,
  admin: AdminConnection,
  api: ResourceServer,
  made: Connection,
  options: ReportOptions,
): Promise<void> {
  const { authority } = admin;
  const secretFile = whereSecretIs(options.secret);
  const metadata = await discoverServer(authority.issuer as Issuer, { fetch: admin.fetch });
  const snippets = snippetsOf(
    {
      issuer: authority.issuer,
      tokenEndpoint: metadata.token_endpoint,
      clientId: made.identity.client_id,
      secretFile: nearPath(host.cwd, options.secret.file ?? `${made.identity.client_id}.secret`),
      resource: api.identifier,
      scope: made.access.scopes.join(' '),
      caFile: authority.caFile === undefined ? undefined : nearPath(host.cwd, authority.caFile),
      url: /^https?:/.test(api.identifier) ? api.identifier : 'https://api.example/',
    },
    options.language === undefined ? LANGUAGES : [options.language],
  );
  if (options.output === 'json') {
    const calls = Object.fromEntries(snippets.map(({ language, code }) => [language, code]));
    return host.stdout.write(`${jsonText({ ...made, secret_file: secretFile ?? null, calls })}\n`);
  }
  for (const { title, code } of snippets) {
    host.stdout.write(options.language === undefined ? `── ${title}\n${code}\n\n` : `${code}\n`);
  }
  for (const line of summaryLines(host, api, made, options)) say(host, visible(line));
}

function whereSecretIs(secret: ReportOptions['secret']): string | undefined {
  return secret.told === 'now' || existsSync(secret.file) ? secret.file : undefined;
}

function summaryLines(
  host: Pick<Host, 'cwd'>,
  api: ResourceServer,
  { identity, access, credential }: Connection,
  options: ReportOptions,
): readonly string[] {
  const file = whereSecretIs(options.secret);
  const name = identity.client_id;
  const lost = `told when it was made; another: countersign credentials create ${name} --type client_secret`;
  const before = options.made ? '' : '; all of it was there before';
  const where =
    file === undefined
      ? lost
      : `${nearPath(host.cwd, file)}${options.secret.told === 'now' ? ' (mode 0600)' : ''}`;
  const shown = options.secret.told === 'now' && file === undefined;
  return [
    `${name} may use ${access.scopes.join(' ')} at ${api.identifier}${before}`,
    `  identity    ${identity.id}, ${identity.state}, until ${identity.expires_at}`,
    `  access      ${access.id}, until ${access.expires_at}`,
    `  credential  ${credential.id}, until ${credential.expires_at}`,
    ...(shown ? [] : [`  secret      ${where}`]),
    ...(options.language === undefined
      ? [`  calls       above; one of them: --language ${LANGUAGES.join('|')}`]
      : []),
  ];
}
