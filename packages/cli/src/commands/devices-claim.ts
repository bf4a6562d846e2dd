import { buildCommand, type Command } from '@stricli/core';
import {
  type FileFlags,
  filesOf,
  replaceFile,
  requireNoFile,
  textOf,
} from '../certificate/certificate-files.ts';
import { fileFlags } from '../certificate/file-flags.ts';
import { certificateRefused } from '../certificate/refused.ts';
import { tellHeld } from '../certificate/tell-held.ts';
import { fetchFor } from '../connection/admin.ts';
import { readSecret } from '../connection/secret-source.ts';
import { resolveAuthority, setting } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { usageError } from '../failure.ts';
import { type AuthorityFlags, authorityFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';

interface Flags extends FileFlags, AuthorityFlags, OutputFlags {
  readonly codeFile?: string | undefined;
}

/**
 * On the device: its key is made here and stays here. The key is written before it is certified, so that an answer that was lost is asked
 * for again with the same key, which is all that the code allows.
 */
export const devicesClaim: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const files = filesOf(host, flags);
    requireNoFile(files.certificate);
    const code = await codeOf(host, flags);
    const authority = resolveAuthority(host, flags);
    const { claimDevice, newDeviceKey } = await import('@countersign/client');
    const known = textOf(files.key, '--key-file');
    const key = known ?? (await newDeviceKey());
    if (known === undefined) replaceFile(files.key, key, 0o600);
    const held = await claimDevice({
      issuer: authority.issuer,
      code,
      key,
      fetch: fetchFor(host, authority),
    }).catch((error: unknown) => {
      throw certificateRefused(error, 'The authority does not take this claim code', CODE_FIX);
    });
    if (files.root !== undefined) replaceFile(files.root, held.root, 0o644);
    replaceFile(files.certificate, held.certificate, 0o644);
    say(host, `Claimed ${held.spiffeId}, until ${held.expiresAt}; its key is in ${files.key} (mode 0600).`);
    await tellHeld(host, flags.output, held);
  },
  parameters: {
    flags: {
      codeFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'file',
        brief: 'Its claim code; - reads stdin [COUNTERSIGN_CLAIM_CODE_FILE, COUNTERSIGN_CLAIM_CODE]',
      },
      ...fileFlags,
      ...outputFlags,
      ...authorityFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'On the device: get its first certificate with a one-off code',
    customUsage: [
      '--code-file claim.code --key-file device.key --cert-file device.pem --root-file root.pem --issuer https://authority.example',
    ],
  },
});

const CODE_FIX =
  'Was it used with another key, replaced by a later code or good no longer, or is its identity suspended? Where it is known, make another: countersign devices code IDENTITY';

async function codeOf(host: CliContext['host'], { codeFile }: Flags): Promise<string> {
  const file = setting(codeFile, '--code-file', host, 'COUNTERSIGN_CLAIM_CODE_FILE');
  if (file !== undefined) return await readSecret(host, file, 'claim code');
  const code = host.env['COUNTERSIGN_CLAIM_CODE']?.trim();
  if (code !== undefined && code !== '') return code;
  throw usageError('With which claim code?', 'Name its file with --code-file (- for stdin).');
}
