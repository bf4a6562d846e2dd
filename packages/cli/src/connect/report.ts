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
import type { CallProof } from '../snippets/call.ts';
import { languagesFor, type Language, snippetsOf } from '../snippets/snippets.ts';
import type { Connection } from './make-connection.ts';

export interface ReportOptions {
  readonly output: 'text' | 'json';
  readonly language: Language | undefined;
  /** Whether anything was not there before. */
  readonly made: boolean;
  readonly secret: Secret;
  /** What proves the machine, where that is no secret. */
  readonly proof: Exclude<CallProof, { by: 'secret' }> | undefined;
}

type Secret =
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

/** Prints programs that use what was made; then, where it does not scroll away, what that is. */
export async function reportConnection(
  host: Host,
  admin: AdminConnection,
  api: ResourceServer,
  made: Connection,
  options: ReportOptions,
): Promise<void> {
  const { authority } = admin;
  const secretFile = options.proof === undefined ? whereSecretIs(options.secret) : undefined;
  const proof = options.proof ?? {
    by: 'secret',
    file: nearPath(host.cwd, options.secret.file ?? `${made.identity.client_id}.secret`),
  };
  const metadata = await discoverServer(authority.issuer as Issuer, { fetch: admin.fetch });
  const snippets = snippetsOf(
    {
      issuer: authority.issuer,
      tokenEndpoint:
        (proof.by === 'certificate' ? metadata.mtls_endpoint_aliases?.['token_endpoint'] : undefined) ??
        metadata.token_endpoint,
      clientId: made.identity.client_id,
      proof,
      resource: api.identifier,
      scope: made.access.scopes.join(' '),
      caFile: authority.caFile === undefined ? undefined : nearPath(host.cwd, authority.caFile),
      isDevice: isDevice(api),
      url: /^https?:/.test(api.identifier) ? api.identifier : 'https://api.example/',
    },
    options.language === undefined ? languagesFor(proof.by, isDevice(api)) : [options.language],
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

/** Its tokens are asked for in CBOR. */
export function isDevice({ token }: Pick<ResourceServer, 'token'>): boolean {
  return token?.format === 'cwt';
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
  const name = identity.client_id;
  const before = options.made ? '' : '; all of it was there before';
  const waits = access.state === 'requested';
  const once = waits ? ' once people have approved it: countersign approvals list --state pending' : '';
  return [
    `${name} may use ${access.scopes.join(' ')} at ${api.identifier}${once}${before}`,
    `  identity    ${identity.id}, ${identity.state}, until ${identity.expires_at}`,
    `  access      ${access.id}, ${waits ? 'requested, ' : ''}until ${access.expires_at}`,
    `  credential  ${credential.id}, ${credential.type}, until ${credential.expires_at}`,
    ...(options.proof === undefined ? secretLines(host, name, options.secret) : proofLines(options.proof)),
    ...(options.language === undefined
      ? [
          `  calls       above; one of them: --language ${languagesFor(options.proof?.by ?? 'secret', isDevice(api)).join('|')}`,
          // The authority knows what an API is called, not where it listens.
          `              to ${api.identifier}: put the address of the API there, if it has another`,
        ]
      : []),
  ];
}

function secretLines(host: Pick<Host, 'cwd'>, name: string, secret: Secret): readonly string[] {
  const file = whereSecretIs(secret);
  if (secret.told === 'now' && file === undefined) return [];
  const lost = `told when it was made; another: countersign credentials create ${name} --type client_secret`;
  const where =
    file === undefined ? lost : `${nearPath(host.cwd, file)}${secret.told === 'now' ? ' (mode 0600)' : ''}`;
  return [`  secret      ${where}`];
}

/** There is no secret: what the machine has stays with it, and the calls say under which name they look for it. */
function proofLines(proof: Exclude<CallProof, { by: 'secret' }>): readonly string[] {
  if (proof.by === 'subject_token') return ['  secret      none: it comes with the token of its platform'];
  const files = proof.by === 'key' ? proof.key : `${proof.certificate} and ${proof.key}`;
  return [`  secret      none: the calls look for ${files}`];
}
