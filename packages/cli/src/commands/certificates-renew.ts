import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildCommand, type Command } from '@stricli/core';
import { type FileFlags, filesOf, presentPair, replaceBoth } from '../certificate/certificate-files.ts';
import { fileFlags } from '../certificate/file-flags.ts';
import { resolveAuthority } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { usageError } from '../failure.ts';
import { type AuthorityFlags, authorityFlags } from '../flags/connection.ts';
import { jsonText } from '../output/formats.ts';

interface Flags extends FileFlags, AuthorityFlags {
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
      ca: authority.caFile === undefined ? undefined : readFileSync(authority.caFile, 'utf8'),
    });
    replaceBoth(files, next);
    say(host, `Renewed ${next.spiffeId}, until ${next.expiresAt}`);
    const { clientId, spiffeId, expiresAt, renewAfter } = next;
    const told = { client_id: clientId, spiffe_id: spiffeId, expires_at: expiresAt, renew_after: renewAfter };
    host.stdout.write(`${jsonText(told)}\n`);
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
      ...authorityFlags,
    },
  },
  docs: {
    brief: 'Renew its certificate as the machine itself, for a new key',
    customUsage: [
      '--key-file device.key --cert-file device.pem --issuer https://authority.example',
      '--key-file device.key --cert-file device.pem --if-due',
    ],
  },
});

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
