import { buildCommand, type Command } from '@stricli/core';
import { join, resolve } from 'node:path';
import { type CliContext, say } from '../context.ts';
import { jsonText } from '../output/formats.ts';
import { replaceSecretFile } from '../secrets/secret-file.ts';
import { startFailure } from '../serving/start-failure.ts';
import { openSecretPlace } from '../secrets/secret-place.ts';

interface Flags {
  readonly dataDir?: string | undefined;
  readonly database?: string | undefined;
  readonly masterKeyFile?: string | undefined;
  readonly config?: string | undefined;
  readonly secretFile?: string | undefined;
  readonly showSecret: boolean;
}

/**
 * For whoever holds the host and has lost the admin's secret: opens the storage itself, without an authority in
 * between, and gives the admin a new secret.
 */
export const adminReset: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func({ secretFile, showSecret, ...flags }) {
    const { host } = this;
    // Beside the data, where the other commands look for it; the secret that was there is worth nothing after this.
    const usual = join(flags.dataDir ?? (host.env['COUNTERSIGN_DATA_DIR'] || '.countersign'), 'admin.secret');
    const place =
      secretFile === undefined
        ? openSecretPlace(host, { showSecret }, resolve(host.cwd, usual), replaceSecretFile)
        : openSecretPlace(host, { secretFile, showSecret }, resolve(host.cwd, secretFile));
    const { resetAdmin } = await import('@countersign/server/main');
    const settings = {
      'data-dir': flags.dataDir,
      database: flags.database,
      'master-key-file': flags.masterKeyFile,
      config: flags.config,
    };
    const admin = await resetAdmin({
      flags: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
      env: host.env,
    }).catch((error: unknown) => {
      place.abandon();
      throw startFailure(error);
    });
    place.put(admin.client_secret);
    if (place.path !== undefined)
      say(host, `The new secret of ${admin.client_id} is in ${place.path} (mode 0600).`);
    host.stdout.write(`${jsonText({ client_id: admin.client_id, secret_file: place.path ?? null })}\n`);
  },
  parameters: {
    flags: {
      dataDir: text('dir', 'Data directory of the authority'),
      database: text('url', 'Its database: sqlite:PATH or postgres://…'),
      masterKeyFile: text('file', 'Its master key'),
      config: text('file', 'Its YAML file of settings'),
      secretFile: text(
        'file',
        'Where the new secret goes (mode 0600); admin.secret in the data directory when left out',
      ),
      showSecret: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Show the secret once on the terminal in place of a file',
      },
    },
  },
  docs: {
    brief: 'Give the admin a new secret; for whoever holds the host',
    customUsage: ['--data-dir /var/lib/countersign', '--database postgres://db/countersign'],
  },
});

function text(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief } as const;
}
