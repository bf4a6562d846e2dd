import { buildCommand, type Command } from '@stricli/core';
import { type CliContext, say } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { readToken, type TokenFlags, tokenFlags } from '../flags/token.ts';
import { printObject } from '../output/formats.ts';
import { tableLines } from '../output/table.ts';
import type { Host } from '../host.ts';
import { claimsOf, headerOf, readCborToken } from '../token/cbor-token.ts';
import { explainClaims, explainHeader } from '../token/claim-words.ts';

type Flags = TokenFlags & OutputFlags;

/** Decodes without asking anybody and without a word on whether it is to be trusted: that is `token verify`. */
export const tokenInspect: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const token = await readToken(host, flags);
    const { parseCompactJws, parseJsonObject } = await import('@countersign/protocol');
    const jws = parseCompactJws(token);
    const cbor = jws.ok ? undefined : await readCborToken(token);
    if (cbor !== undefined) return await print(host, flags, headerOf(cbor), claimsOf(cbor));
    if (!jws.ok) {
      throw new CommandFailure(
        'failure',
        `This is no JWT and no CBOR Web Token in base64url (${jws.fault}).`,
        {
          fix: 'An opaque token can only be introspected by its authority.',
        },
      );
    }
    const payload = parseJsonObject(jws.payload);
    if (!payload.ok) {
      throw new CommandFailure('failure', `Its payload is no JSON object (${payload.fault}).`);
    }
    await print(host, flags, jws.header, payload.value);
  },
  parameters: { flags: { ...tokenFlags, ...outputFlags }, aliases: outputAliases },
  docs: {
    brief: 'Decode a token and say what each part means; checks nothing',
    customUsage: ['< token.txt', '--token-file token.txt -o json'],
  },
});

async function print(
  host: Host,
  { output }: OutputFlags,
  header: object,
  claims: { readonly [name: string]: unknown },
): Promise<void> {
  if (output !== 'table') return printObject(host, output, { header, claims }, () => idOf(claims));
  const columns = [
    { header: '', value: (member: { name: string }) => member.name },
    { header: '', value: (member: { value: string }) => member.value },
    { header: '', value: (member: { meaning: string }) => member.meaning },
  ];
  const members = [...explainHeader(header), ...explainClaims(claims, host.now())];
  for (const line of tableLines(columns, members, undefined).slice(1)) host.stdout.write(`${line}\n`);
  say(host, 'Decoded, not checked. To check it: countersign token verify --audience API');
}

function idOf(claims: { readonly [name: string]: unknown }): string {
  const { jti } = claims;
  return typeof jti === 'string' ? jti : '';
}
