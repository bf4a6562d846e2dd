import { mkdir } from 'node:fs/promises';
import { type Changes, createChanges } from './audit/change.ts';
import { createAuditLog } from './audit/group-commit.ts';
import type { AuditLog } from './audit/log.ts';
import type { AuditSink } from './audit/sink.ts';
import type { Clock } from './clock.ts';
import type { Deployment } from './config/deployment.ts';
import { SettingError } from './config/load.ts';
import { untilAlone } from './first-start.ts';
import { AUTHORITY } from './governance/compose.ts';
import type { RandomBytes } from './ids.ts';
import { UnreadableFile } from '@countersign/protocol/configured-file';
import { checkMasterKey, loadMasterKey, type MasterKey, MasterKeyError } from './keys/master-key.ts';
import { preparingKeys } from './keys/prepared-keys.ts';
import { rotate, rotateAll, type RotationDeps } from './keys/rotation.ts';
import { createSeal, type Seal } from './keys/seal.ts';
import { isReadableByOthers } from './keys/secret-file.ts';
import type { SigningKeystore } from './keys/signing-keystore.ts';
import { openAuditSink, openKeystore, openStorage, scheduleOf } from './open-state.ts';
import { createSecretHash, type SecretHash } from './registry/secret-hash.ts';
import { requireRegistryOfLog } from './registry-of-log.ts';
import { keepOfChanges } from './registry/keep-of-changes.ts';
import { localSigner } from './signers/local.ts';
import type { Storage } from './storage/storage.ts';
import type { UsedOnceStore } from './storage/used-once.ts';
import type { Logger } from './telemetry/logger.ts';

export interface FoundationDeps {
  readonly deployment: Deployment;
  /** Name of this process. */
  readonly node: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
}

/** What has to stand before anything is served: secrets, registry, log, and keys that sign. */
export interface Foundation {
  readonly masterKey: MasterKey;
  readonly storage: Storage;
  readonly sink: AuditSink;
  readonly log: AuditLog;
  readonly changes: Changes;
  readonly seal: Seal;
  readonly secretHash: SecretHash;
  readonly rotation: RotationDeps;
  readonly rotateIfDue: () => Promise<void>;
  readonly keystore: SigningKeystore;
  /** Keys of JWT-SVIDs and of nothing else. */
  readonly svidKeystore: SigningKeystore;
}

/** Where the log carries used proofs, those that it alone knows of are used from the start. */
async function withMarksOf({ marked }: AuditSink, usedOnce: UsedOnceStore): Promise<UsedOnceStore> {
  return marked === undefined ? usedOnce : ((await usedOnce.carriedBy?.(marked)) ?? usedOnce);
}

/** What is wrong with the file of the master key is a fault of the setting that names it; all else is not. */
function masterKeyFault(path: string, error: unknown): unknown {
  if (!(error instanceof UnreadableFile || error instanceof MasterKeyError)) return error;
  const problem = error instanceof UnreadableFile ? error.problem : error.message;
  return new SettingError('master-key-file', `names ${path}, which ${problem}`);
}

/** `opened` is told how to close what is open, for a start that fails further on. */
export async function layFoundation(
  { deployment, clock, random, node, logger }: FoundationDeps,
  opened: (() => Promise<void>)[],
): Promise<Foundation> {
  await mkdir(deployment.dataDir, { recursive: true, mode: 0o700 });
  const { masterKeyFile } = deployment;
  const refused = (error: unknown): never => {
    throw masterKeyFault(masterKeyFile, error);
  };
  const masterKey = await loadMasterKey(masterKeyFile, deployment.mode === 'dev', random).catch(refused);
  if (deployment.mode === 'serve' && (await isReadableByOthers(masterKeyFile))) {
    throw new SettingError('master-key-file', 'is readable by others', `chmod 600 ${masterKeyFile}`);
  }
  const registry = preparingKeys(await openStorage(deployment, clock));
  opened.push(() => registry.close());
  await checkMasterKey(masterKey, registry.settings).catch(refused);
  const sink = await openAuditSink(deployment, logger);
  opened.push(() => sink.close());
  const storage = { ...registry, usedOnce: await withMarksOf(sink, registry.usedOnce) };
  await requireRegistryOfLog(storage, sink, deployment.lostChangesUntil);
  const log = createAuditLog(sink, (error) =>
    logger.error({ err: error }, 'the audit log cannot be written: nothing is issued'),
  );
  const changes = createChanges({
    storage,
    log,
    clock,
    random,
    node,
    keep: keepOfChanges({ random, mail: deployment.smtp !== undefined }),
  });
  const seal = createSeal(masterKey.derive('seal'), random);
  const secretHash = createSecretHash(masterKey.derive('secret-hash'));
  const rotation: RotationDeps = {
    signer: localSigner(seal),
    clock,
    random,
    schedule: scheduleOf(deployment),
  };
  const rotateIfDue = () =>
    changes.run(AUTHORITY, async (stores, tell) => {
      await rotateAll(rotation, stores, tell);
      await rotate(rotation, { ...stores, signingKeys: stores.svidKeys }, 'ES256', 'due', tell);
    });
  await untilAlone(rotateIfDue);
  const opening = { storage, rotation, clock, logger };
  const keystore = await openKeystore(opening, storage.signingKeys);
  const svidKeystore = await openKeystore(opening, storage.svidKeys);
  return {
    masterKey,
    storage,
    sink,
    log,
    changes,
    seal,
    secretHash,
    rotation,
    rotateIfDue,
    keystore,
    svidKeystore,
  };
}
