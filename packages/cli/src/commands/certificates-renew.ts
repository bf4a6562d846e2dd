import { createHash, X509Certificate } from 'node:crypto';
import { buildCommand, type Command } from '@stricli/core';
import { type FileFlags, filesOf, presentPair, replaceBoth } from '../certificate/certificate-files.ts';
import { fileFlags } from '../certificate/file-flags.ts';
import { certificateRefused } from '../certificate/refused.ts';
import { tellHeld } from '../certificate/tell-held.ts';
import { resolveAuthority } from '../connection/settings.ts';
import { trustedCertificates } from '../connection/trusted-fetch.ts';
import { type CliContext, say } from '../context.ts';
import { usageError } from '../failure.ts';
import { type AuthorityFlags, authorityFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';

interface Flags extends FileFlags, AuthorityFlags, OutputFlags {
  readonly as?: string | undefined;
  readonly ifDue: boolean;
}

/** By the machine itself: it proves itself with the certificate that it has, and needs no scope. */
export const certificatesRenew: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const files = filesOf(host, flags);
    const { certificate, key } = presentPair(files);
    const present = new X509Certificate(certificate);
    const { renewalTime, renewCertificate } = await import('@countersign/client');
    const due = renewalTime(timesOf(present), () => shareOf(present));
    if (flags.ifDue && host.now() < due) {
      return say(host, `Nothing to do before ${new Date(due).toISOString()}`);
    }
    const authority = resolveAuthority(host, flags);
    const next = await renewCertificate({
      issuer: authority.issuer,
      clientId: flags.as ?? clientIdOf(present),
      certificate,
      key,
      ca: trustedCertificates(authority),
    }).catch((error: unknown) => {
      throw certificateRefused(error, 'The authority does not renew this certificate', RENEWAL_FIX);
    });
    replaceBoth(files, next);
    say(host, `Renewed ${next.spiffeId}, until ${next.expiresAt}`);
    await tellHeld(host, flags.output, next);
  },
  parameters: {
    flags: {
      ...fileFlags,
      ifDue: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Only after half of its life, and each machine at a time of its own; for a timer',
      },
      as: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'id',
        brief: 'client_id of the machine; as the certificate says when left out',
      },
      ...outputFlags,
      ...authorityFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Renew its certificate as the machine itself, for a new key',
    customUsage: [
      '--key-file device.key --cert-file device.pem --issuer https://authority.example',
      '--key-file device.key --cert-file device.pem --if-due',
    ],
  },
});

const RENEWAL_FIX =
  'Has it ended, was it revoked, or is its identity suspended? Does the authority see certificates at all (its setting mtls-port, `countersign dev --mtls-port`)? One that has ended needs a new one: countersign devices code, or certificates issue.';

function timesOf({ validFrom, validTo }: X509Certificate): { renewAfter: string; expiresAt: string } {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return { renewAfter: new Date((from + to) / 2).toISOString(), expiresAt: new Date(to).toISOString() };
}

/** From 0 to 1, always the same for one certificate: a timer that comes often finds the same time due. */
function shareOf({ serialNumber }: X509Certificate): number {
  return createHash('sha256').update(serialNumber).digest().readUInt32BE() / 2 ** 32;
}

function clientIdOf({ subject }: X509Certificate): string {
  const name = /^CN=(.+)$/m.exec(subject)?.[1];
  if (name !== undefined) return name;
  throw usageError('The certificate does not say its client_id.', 'Give --as CLIENT_ID.');
}
