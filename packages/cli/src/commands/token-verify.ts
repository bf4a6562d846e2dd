import { OPAQUE_TOKEN_PREFIX } from '@countersign/protocol';
import { buildCommand, type Command } from '@stricli/core';
import { fetchFor } from '../connection/admin.ts';
import { type ConnectionFlags, resolveAuthority } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { readToken, type TokenFlags, tokenFlags } from '../flags/token.ts';
import { splitWords } from '../flags/words.ts';
import { printObject } from '../output/formats.ts';
import type { Host } from '../host.ts';
import { type CborToken, claimsOf, readCborToken } from '../token/cbor-token.ts';

interface Flags extends TokenFlags, OutputFlags, Pick<ConnectionFlags, 'issuer' | 'caFile' | 'readyFile'> {
  readonly audience: string;
  readonly scope?: readonly string[] | undefined;
  readonly ignoreCutoffs: boolean;
}

/** As a guard of @countersign/coap would, which asks for a proof of its key beside that. */
async function verifyCbor(
  host: Host,
  authority: ReturnType<typeof resolveAuthority>,
  token: CborToken,
  flags: Flags,
): Promise<void> {
  const { judgeCborToken } = await import('../token/judge-cbor-token.ts');
  const options = {
    issuer: authority.issuer,
    audience: flags.audience,
    fetch: fetchFor(host, authority),
    cutoffs: flags.ignoreCutoffs ? (false as const) : ({ receipts: false } as const),
    clock: () => Math.floor(host.now() / 1000),
  };
  const reason = await judgeCborToken(token, options, splitWords(flags.scope ?? []));
  if (reason !== undefined) {
    const kind = reason === 'keys_unavailable' || reason === 'cutoffs_stale' ? 'unreachable' : 'denied';
    throw new CommandFailure(kind, `A CoAP server would refuse it: ${reason}`, { fix: FIXES[reason] });
  }
  const claims = claimsOf(token);
  const told = { accepted: true, scopes: token.claims.scope.split(' '), claims };
  await printObject(host, flags.output, told, () => String(claims['jti']));
}

/** Judges a token as the API itself would: with the same library, keys and cut-offs. */
export const tokenVerify: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const token = await readToken(host, flags);
    if (token.startsWith(OPAQUE_TOKEN_PREFIX)) {
      throw new CommandFailure('failure', 'It is an opaque token, which says nothing without the authority', {
        fix: 'An API that takes it asks the authority: docs/guide/introspect-and-revoke.md',
      });
    }
    const authority = resolveAuthority(host, flags);
    const cbor = await readCborToken(token);
    if (cbor !== undefined) return await verifyCbor(host, authority, cbor, flags);
    const { createVerifier } = await import('@countersign/resource-server');
    const verifier = createVerifier({
      issuer: authority.issuer,
      audience: flags.audience,
      fetch: fetchFor(host, authority),
      cutoffs: flags.ignoreCutoffs ? false : { receipts: false },
      clock: () => Math.floor(host.now() / 1000),
    });
    try {
      const result = await verifier.verify(token, { scope: splitWords(flags.scope ?? []) });
      if (!result.ok) {
        throw new CommandFailure(result.status === 503 ? 'unreachable' : 'denied', refusalText(result), {
          fix: FIXES[result.reason],
        });
      }
      await printObject(
        host,
        flags.output,
        { accepted: true, scopes: result.scopes, claims: result.claims.all },
        () => result.claims.jti,
      );
    } finally {
      await verifier.close();
    }
  },
  parameters: {
    flags: {
      audience: {
        kind: 'parsed',
        parse: String,
        placeholder: 'uri',
        brief: 'Identifier of the API that would get it',
      },
      scope: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'names',
        brief: 'Scopes that a request would need',
      },
      ignoreCutoffs: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Do not ask for cut-offs; for issuers that have none',
      },
      ...tokenFlags,
      ...outputFlags,
      issuer: connectionFlags.issuer,
      caFile: connectionFlags.caFile,
      readyFile: connectionFlags.readyFile,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Check a token as an API would: signature, issuer, audience, time, cut-offs, scopes',
    customUsage: [
      '--audience https://fraud.example < token.txt',
      '--audience https://fraud.example --scope fraud:read --token-file token.txt',
    ],
  },
});

function refusalText(result: {
  readonly status: number;
  readonly reason: string;
  readonly detail: string | undefined;
}): string {
  const detail = result.detail === undefined ? '' : ` (${result.detail})`;
  return `The API would refuse it with ${result.status}: ${result.reason}${detail}`;
}

const FIXES: Readonly<Record<string, string>> = {
  expired: 'Get a new one: countersign token get',
  wrong_audience: 'It is for another API: countersign token get --resource API',
  wrong_issuer: 'Another authority issued it: name that one with --issuer.',
  insufficient_scope: 'See what the identity holds: countersign access list --identity CLIENT_ID',
  cut_off: 'It was cut off: countersign cutoffs list',
};
