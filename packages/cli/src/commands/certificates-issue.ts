import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { IssuedCertificate } from '@countersign/admin-api';
import { createCertificationRequest } from '@countersign/protocol';
import { buildCommand, type Command } from '@stricli/core';
import { resolve } from 'node:path';
import { replaceFile, textOf } from '../certificate/certificate-files.ts';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { usageError } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import {
  outputAliases,
  type OutputFlags,
  outputFlags,
  type WriteFlags,
  writeFlags,
} from '../flags/output.ts';
import { textFile } from '../named-file.ts';
import { mayProceed } from '../noun/write.ts';
import { printObject } from '../output/formats.ts';

interface Flags extends ConnectionFlags, OutputFlags, WriteFlags {
  readonly csr?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly rootFile?: string | undefined;
  readonly lifetime?: string | undefined;
}

/** For a key that is here, or is made here and stays here; or for a request of whoever has it. */
export const certificatesIssue: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, identity) {
    const { host } = this;
    if ((flags.csr === undefined) === (flags.keyFile === undefined)) {
      throw usageError(
        'For which key?',
        'Give --key-file FILE, which is made where it is not there, or --csr FILE of whoever has the key.',
      );
    }
    const keyPath = flags.keyFile === undefined ? undefined : resolve(host.cwd, flags.keyFile);
    const known = keyPath === undefined ? undefined : textOf(keyPath, '--key-file');
    const key = keyPath === undefined ? undefined : (known ?? newKey());
    const csr = key === undefined ? textFile(host, flags.csr ?? '', '--csr') : requestOf(key, keyPath ?? '');
    await withAdmin(host, flags, async (admin) => {
      const lifetime = flags.lifetime === undefined ? {} : { lifetime: flags.lifetime };
      const input = { params: { id: identity }, body: { csr, ...lifetime } };
      if (!(await mayProceed(this, admin, 'certificates.issue', input, { ...flags, yes: true }))) return;
      // Before it is certified: a certificate for a key that was lost is of use to nobody.
      if (keyPath !== undefined && known === undefined && key !== undefined) replaceFile(keyPath, key, 0o600);
      const issued = (await admin.table.call('certificates.issue', input)).body as IssuedCertificate;
      const { chain, root, ...certificate } = issued;
      if (flags.certFile !== undefined) replaceFile(resolve(host.cwd, flags.certFile), chain, 0o644);
      if (flags.rootFile !== undefined) replaceFile(resolve(host.cwd, flags.rootFile), root, 0o644);
      say(
        host,
        `Issued ${issued.id} for ${issued.spiffe_id ?? issued.client_id}, until ${issued.expires_at}`,
      );
      await printObject(
        host,
        flags.output,
        flags.certFile === undefined ? issued : certificate,
        (item) => item.id,
      );
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id (idn_…), client_id or name', parse: String, placeholder: 'IDENTITY' }],
    },
    flags: {
      csr: file('A request, PEM, of whoever has the key'),
      keyFile: file('Its private key, PEM; made (0600) where it is not there'),
      certFile: file('Where the certificate goes, with those between it and the root'),
      rootFile: file('Where the root goes, which others trust'),
      lifetime: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'span',
        brief: 'How long it lasts, such as 12h; as long as it may when left out',
      },
      ...writeFlags,
      ...outputFlags,
      ...connectionFlags,
    },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Issue a certificate; whose it is the identity says',
    customUsage: [
      'payments --key-file payments.key --cert-file payments.pem --root-file root.pem',
      'payments --csr payments.csr --lifetime 12h -o json',
    ],
  },
});

function file(brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder: 'file', brief } as const;
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
}

function requestOf(key: string, path: string): string {
  try {
    return createCertificationRequest(createPrivateKey(key));
  } catch {
    throw usageError(`${path} holds no private key that can be certified, as PEM without a passphrase.`);
  }
}
