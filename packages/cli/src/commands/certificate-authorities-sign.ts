import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import { replaceFile, requireNoFile } from '../certificate/certificate-files.ts';
import { type CliContext, say } from '../context.ts';
import { CommandFailure, usageError } from '../failure.ts';
import { textFile } from '../named-file.ts';
import { jsonText } from '../output/formats.ts';
import { readPassphrase } from '../secrets/passphrase.ts';

type SignFault = import('@countersign/server/main').SignFault;

interface Flags {
  readonly request: string;
  readonly root: string;
  readonly rootKey: string;
  readonly passphraseFile?: string | undefined;
  readonly certFile: string;
  readonly days?: number | undefined;
}

const DAY_MS = 86_400_000;

/** For whoever keeps the root, on a machine that reaches no authority. */
export const certificateAuthoritiesSign: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const path = resolve(host.cwd, flags.certFile);
    requireNoFile(path);
    const root = textFile(host, flags.root, '--root');
    const request = textFile(host, flags.request, '--request');
    const passphrase =
      flags.passphraseFile === undefined
        ? undefined
        : await readPassphrase(host, flags.passphraseFile, { ofNew: false });
    const rootKey = keyOf(textFile(host, flags.rootKey, '--root-key'), flags.rootKey, passphrase);
    const { signAuthorityRequest } = await import('@countersign/server/main');
    const signed = signAuthorityRequest({
      request,
      root,
      rootKey,
      lifetime: flags.days === undefined ? undefined : flags.days * DAY_MS,
      now: host.now(),
      random: randomBytes,
    });
    if (!signed.ok) throw new CommandFailure('failure', wordsOf(signed.fault, flags));
    replaceFile(path, signed.certificate, 0o644);
    const until = new Date(signed.notAfter).toISOString();
    say(host, `Its certificate is in ${flags.certFile}, until ${until}.`);
    host.stdout.write(`${jsonText({ certificate_file: path, expires_at: until })}\n`);
  },
  parameters: {
    flags: {
      request: file('The request of the authority, PEM'),
      root: file('The certificate of the root, PEM'),
      rootKey: file('Its key, PEM'),
      passphraseFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'file',
        brief: 'The passphrase of the key: a file, or - for stdin',
      },
      certFile: file('Where the certificate goes'),
      days: {
        kind: 'parsed',
        parse: daysOf,
        optional: true,
        placeholder: 'number',
        brief: 'For how long; 365 when left out, and no longer than the root',
      },
    },
  },
  docs: {
    brief: 'Sign the request of an issuing authority with the key of the root; needs no authority',
    customUsage: [
      '--request issuing.csr --root root.pem --root-key root.key --passphrase-file passphrase --cert-file issuing.pem',
    ],
  },
});

function file(brief: string) {
  return { kind: 'parsed', parse: String, placeholder: 'file', brief } as const;
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!/^\d{1,4}$/.test(text) || days < 1 || days > 3653) throw new Error('Write a number from 1 to 3653.');
  return days;
}

function keyOf(pem: string, name: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch {
    throw usageError(
      passphrase === undefined
        ? `${name} cannot be opened without a passphrase.`
        : `${name} cannot be opened with that passphrase.`,
      passphrase === undefined ? 'Name the file that it is in: --passphrase-file FILE' : undefined,
    );
  }
}

function wordsOf(fault: SignFault, flags: Flags): string {
  if ('request' in fault) return `${flags.request} ${REQUEST[fault.request]}.`;
  if ('root' in fault) return `${flags.root} ${ROOT[fault.root]}.`;
  return `${flags.rootKey} ${KEY[fault.key]}.`;
}

type Of<K extends string> = Extract<SignFault, { readonly [k in K]: unknown }>;

const REQUEST: { readonly [fault in Of<'request'>['request']]: string } = {
  malformed: 'is not one PKCS #10 request (PEM, CERTIFICATE REQUEST)',
  key_not_allowed: 'is for a key of a kind that gets no certificate here',
  weak: 'has a weak key or signature',
  not_proved: 'is not signed by the key that it shows',
  no_name: 'has no subject',
};
const ROOT: { readonly [fault in Of<'root'>['root']]: string } = {
  malformed: 'is not one certificate (PEM)',
  not_a_root: 'is not of a root below which an authority may stand',
  ended: 'has ended',
};
const KEY: { readonly [fault in Of<'key'>['key']]: string } = {
  other: 'is not the key of the root',
  kind: 'is not on P-256 or P-384: sign with openssl',
};
