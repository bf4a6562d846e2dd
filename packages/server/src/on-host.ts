import { existsSync } from 'node:fs';
import type { ExportedRoot, TakenOffline } from './ca/root-offline.ts';
import { systemClock } from './clock.ts';
import type { Composition } from './compose.ts';
import { type Deployment, toDeployment } from './config/deployment.ts';
import { type FlagValue, loadSettings, SettingError } from './config/load.ts';
import { pooledRandom } from './ids.ts';
import { VERSION } from './version.ts';

/** What is done by whoever holds the host, with no authority in between: storage and master key are opened here. */

export interface HostOptions {
  /** By setting name, and `config`. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The authority must not be running on an embedded database. */
export async function resetAdmin(
  options: HostOptions,
): Promise<{ readonly client_id: string; readonly client_secret: string }> {
  return await withComposition(options, 'admin-reset', async (composition) => {
    const account = await composition.resetAdmin();
    return { client_id: account.clientId, client_secret: account.secret as string };
  });
}

export interface TakeRootOfflineOptions extends HostOptions {
  readonly passphrase: string;
  readonly dryRun: boolean;
  /** Puts it where it is safe; what it throws leaves the key where it was. */
  readonly keep: (root: ExportedRoot) => void;
}

/** Gives the key of the root away: ca/root-offline.ts. The authority must not be running on an embedded database. */
export async function takeRootOffline({
  passphrase,
  dryRun,
  keep,
  ...options
}: TakeRootOfflineOptions): Promise<TakenOffline> {
  return await withComposition(options, 'root-offline', (composition) =>
    composition.takeRootOffline({ passphrase, dryRun, keep }),
  );
}

async function withComposition<T>(
  options: HostOptions,
  node: string,
  work: (composition: Composition) => Promise<T>,
): Promise<T> {
  const deployment = toHostDeployment(options);
  const { compose } = await import('./compose.ts');
  const { createLogger } = await import('./telemetry/logger.ts');
  const composition = await compose({
    deployment,
    issuer: deployment.issuer ?? 'https://localhost',
    mtlsBase: undefined,
    version: VERSION,
    node,
    clock: systemClock,
    random: pooledRandom(),
    logger: createLogger('warn', node),
    draining: () => false,
  });
  try {
    return await work(composition);
  } finally {
    await composition.close();
  }
}

/** Settings of either command will do. What is not there is not made: it would be another authority than the one meant. */
function toHostDeployment(options: HostOptions): Deployment {
  const settings = new Map(loadSettings({ ...options, mode: 'dev' }));
  settings.delete('host');
  const deployment: Deployment = { ...toDeployment('dev', settings), mode: 'serve', devPeople: false };
  const { database, dataDir } = deployment;
  if (database.kind === 'sqlite' && !existsSync(database.path)) {
    throw new SettingError(
      'data-dir',
      `${dataDir} holds no authority`,
      'Name the one that the authority runs on.',
    );
  }
  return deployment;
}
