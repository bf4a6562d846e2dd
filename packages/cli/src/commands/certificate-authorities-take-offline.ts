import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import { replaceFile, requireNoFile } from '../certificate/certificate-files.ts';
import { type CliContext, say } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { confirmed } from '../noun/write.ts';
import { jsonText } from '../output/formats.ts';
import { readPassphrase } from '../secrets/passphrase.ts';
import { startFailure } from '../serving/start-failure.ts';

interface Flags {
  readonly keyFile: string;
  readonly rootFile: string;
  readonly passphraseFile: string;
  readonly dataDir?: string | undefined;
  readonly database?: string | undefined;
  readonly masterKeyFile?: string | undefined;
  readonly config?: string | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/**
 * For whoever holds the host: opens the storage itself, so that the key goes through no network and no authority. It is removed
 * only after it was read back from its file.
 */
export const certificateAuthoritiesTakeOffline: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { host } = this;
    const [keyPath, rootPath] = [resolve(host.cwd, flags.keyFile), resolve(host.cwd, flags.rootFile)];
    requireNoFile(keyPath);
    requireNoFile(rootPath);
    const passphrase = await readPassphrase(host, flags.passphraseFile, { ofNew: true });
    if (!flags.dryRun && !flags.yes) {
      say(host, `The key of the root goes to ${keyPath} and is removed from the authority for ever.`);
      if (!(await confirmed(this))) return this.setExitCode(EXIT_CODES.difference);
    }
    const { takeRootOffline, AuthorityRefused } = await import('@countersign/server/main');
    const settings = {
      'data-dir': flags.dataDir,
      database: flags.database,
      'master-key-file': flags.masterKeyFile,
      config: flags.config,
    };
    const taken = await takeRootOffline({
      flags: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
      env: host.env,
      passphrase,
      dryRun: flags.dryRun,
      keep({ key, certificate }) {
        replaceFile(rootPath, certificate, 0o644);
        replaceFile(keyPath, key, 0o600);
        if (readFileSync(keyPath, 'utf8') !== key)
          throw new CommandFailure(
            'failure',
            `${keyPath} does not hold what was written. Nothing was removed.`,
          );
      },
    }).catch((error: unknown) => {
      if (!(error instanceof AuthorityRefused)) throw startFailure(error);
      throw new CommandFailure(
        'conflict',
        error.fault === 'no_issuing_authority'
          ? 'There is no authority that issues: without its root none could be made.'
          : 'There is no root of this deployment.',
      );
    });
    say(host, wordsOf(taken.before, flags.dryRun, flags.keyFile));
    const done = !taken.before && !flags.dryRun;
    const files = { key_file: done ? keyPath : null, root_file: done ? rootPath : null };
    host.stdout.write(`${jsonText({ id: taken.id, dry_run: flags.dryRun, ...files })}\n`);
  },
  parameters: {
    flags: {
      keyFile: required('file', 'Where the key of the root goes: PKCS #8, encrypted (mode 0600)'),
      rootFile: required('file', 'Where the certificate of the root goes'),
      passphraseFile: required(
        'file',
        'The passphrase for it: a file, or - for stdin; at least 12 characters',
      ),
      dataDir: text('dir', 'Data directory of the authority'),
      database: text('url', 'Its database: sqlite:PATH or postgres://…'),
      masterKeyFile: text('file', 'Its master key'),
      config: text('file', 'Its YAML file of settings'),
      dryRun: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Say what would be done, do nothing',
      },
      yes: { kind: 'boolean', default: false, withNegated: false, brief: 'Do it without asking' },
    },
  },
  docs: {
    brief: 'Give the key of the root to whoever keeps it, and remove it; for whoever holds the host',
    customUsage: [
      '--data-dir /var/lib/countersign --key-file root.key --root-file root.pem --passphrase-file passphrase --yes',
    ],
  },
});

function wordsOf(before: boolean, dryRun: boolean, keyFile: string): string {
  if (before) return 'The key of the root was not here any more. What was left of it is overwritten.';
  if (dryRun) return 'The key of the root is here and would be removed.';
  return `The key of the root is in ${keyFile} and nowhere else. Keep it, and its passphrase, where no network is.`;
}

function required(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, placeholder, brief } as const;
}

function text(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief } as const;
}
