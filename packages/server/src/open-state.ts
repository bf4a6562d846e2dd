import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openSegmentFileSink } from './audit/segment-file.ts';
import type { AuditSink } from './audit/sink.ts';
import type { Clock } from './clock.ts';
import type { Deployment } from './config/deployment.ts';
import { SettingError } from './config/load.ts';
import { openAuditIndex } from './database/audit-index.ts';
import { openSqliteStorage } from './database/sqlite.ts';
import type { RotationDeps, RotationSchedule } from './keys/rotation.ts';
import { createSigningKeystore, type SigningKeystore } from './keys/signing-keystore.ts';
import { parseOutboundAllow } from './outbound/address.ts';
import type { SendMail } from './mail/smtp.ts';
import { createJwksCache, type JwksCache } from './outbound/jwks-cache.ts';
import { createSafeFetch, type SafeFetch } from './outbound/safe-fetch.ts';
import { createSafePost, type SafePost } from './outbound/safe-post.ts';
import { urlFault } from './outbound/target.ts';
import type { Storage, Stores } from './storage/storage.ts';
import type { Logger } from './telemetry/logger.ts';

/** What a deployment keeps its state in: which database, which log, which signing keys, and which keys of others. */

/** Seconds a key stays published beyond its last token: clocks and caches of verifiers. */
const KEY_RETENTION_MARGIN = 600;

/** Each database's code is loaded only where it is used. */
export async function openStorage(
  { database, databaseConnections }: Deployment,
  clock: Clock,
): Promise<Storage> {
  if (database.kind === 'sqlite') {
    await mkdir(dirname(database.path), { recursive: true, mode: 0o700 });
    return openSqliteStorage({ path: database.path, clock });
  }
  const { openPostgresStorage } = await import('./database/postgres.ts');
  return openPostgresStorage({ url: database.url, clock, connections: databaseConnections });
}

/** The log comes to rest where the registry does: beside an embedded database in files, else in PostgreSQL. */
export async function openAuditSink({ database, dataDir }: Deployment, logger: Logger): Promise<AuditSink> {
  if (database.kind === 'postgres') {
    const { openPostgresAuditSink } = await import('./database/audit-postgres.ts');
    return openPostgresAuditSink({ url: database.url });
  }
  const directory = join(dataDir, 'audit');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const index = await openAuditIndex({
    directory,
    path: join(dataDir, 'audit-index.db'),
    onProgress: (at) => logger.info({ ...at }, 'the audit index is being rebuilt'),
    onError: (error) => logger.warn({ err: error }, 'the audit index is behind; it tries again'),
  });
  return openSegmentFileSink({ directory, index });
}

export function scheduleOf(deployment: Deployment): RotationSchedule {
  const { tokenLifetimeMax, jwtSvidLifetime } = deployment;
  return {
    period: deployment.keyPeriod * 1000,
    lead: deployment.keyLead * 1000,
    retention: (Math.max(tokenLifetimeMax, jwtSvidLifetime) + KEY_RETENTION_MARGIN) * 1000,
  };
}

export async function openKeystore(
  {
    storage,
    rotation,
    clock,
    logger,
  }: {
    readonly storage: Storage;
    readonly rotation: RotationDeps;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  keys: Stores['signingKeys'],
): Promise<SigningKeystore> {
  const keystore = await createSigningKeystore({ keys, signer: rotation.signer, clock });
  storage.onChange((change) => {
    if (change.kind !== 'signing_keys' && change.kind !== 'all') return;
    keystore
      .reload()
      .catch((error: unknown) => logger.error({ err: error }, 'the signing keys could not be read anew'));
  });
  return keystore;
}

/** The keys of others, fetched from where they publish them, what is sent to others, and why neither could ever be. */
export function openOutbound({ mode, outboundAllow }: Deployment): {
  readonly fetch: SafeFetch;
  readonly jwks: JwksCache;
  readonly post: SafePost;
  readonly fetchFault: (url: string) => string | undefined;
} {
  const read = parseOutboundAllow(outboundAllow);
  if (!read.ok) {
    throw new SettingError(
      'outbound-allow',
      `${read.entry} is not a host name, address or CIDR block`,
      'Write a host without scheme and port, or a block like 10.0.0.0/8.',
    );
  }
  const reach = { allow: read.allow, plainLoopback: mode === 'dev' };
  const fetch = createSafeFetch(reach);
  return {
    fetch,
    jwks: createJwksCache(fetch),
    post: createSafePost(reach),
    fetchFault: (url) => urlFault(reach, url),
  };
}

/** The server that takes mail; undefined: none is sent. Its code is loaded only where it is used. */
export async function openMail({ smtp }: Deployment): Promise<SendMail | undefined> {
  if (smtp === undefined) return undefined;
  const { createSmtp } = await import('./mail/smtp.ts');
  return createSmtp(smtp);
}
