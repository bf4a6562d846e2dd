import { mkdir } from 'node:fs/promises';
import { createChanges } from './audit/change.ts';
import { createAuditLog } from './audit/group-commit.ts';
import { createLogReadiness } from './audit/readiness.ts';
import { createStrangerBudget } from './audit/stranger-budget.ts';
import type { Clock } from './clock.ts';
import type { Deployment } from './config/deployment.ts';
import { SettingError } from './config/load.ts';
import { createCutoffFeed } from './cutoff/feed.ts';
import { createCutoffFollowers } from './cutoff/followers.ts';
import { createCutoffLedger } from './cutoff/ledger.ts';
import { policyOf } from './deployment-policy.ts';
import { requireRegistryOfLog, untilAlone } from './first-start.ts';
import {
  type AdminAccount,
  AUTHORITY,
  applyDocuments,
  createAdminRoutes,
  createJobRunner,
  createJobs,
  createMetricsGuard,
  ensureAdmin,
  type GovernanceDeps,
  hasLiveSecret,
  type JobRunner,
  resetAdmin,
  systemTimers,
} from './governance/compose.ts';
import { operationRoutes } from './http/operation.ts';
import { below, type Route } from './http/route.ts';
import type { RandomBytes } from './ids.ts';
import { checkMasterKey, loadMasterKey } from './keys/master-key.ts';
import { ensureSigningKey, rotateAll, type RotationDeps } from './keys/rotation.ts';
import { preparingKeys } from './keys/prepared-keys.ts';
import { createSeal } from './keys/seal.ts';
import { isReadableByOthers } from './keys/secret-file.ts';
import {
  createAssertionTest,
  createBudgets,
  createOAuthRoutes,
  type IssuanceCounters,
  REFUSALS,
} from './oauth/compose.ts';
import { openAuditSink, openKeystore, openOutbound, openStorage, scheduleOf } from './open-state.ts';
import { createFactsCache } from './registry/facts-cache.ts';
import { createIssuancePace } from './registry/issuance-pace.ts';
import { knownResourceServers } from './registry/known-resource-servers.ts';
import { createSecretHash } from './registry/secret-hash.ts';
import { beginToNote, createCredentialUses } from './registry/use/credential-uses.ts';
import { localSigner } from './signers/local.ts';
import type { Storage } from './storage/storage.ts';
import { authorityMetrics } from './telemetry/authority-metrics.ts';
import type { Logger } from './telemetry/logger.ts';
import { METRICS_CONTENT_TYPE, renderMetrics } from './telemetry/metrics.ts';

/** The only file that knows every adapter: builds each once and hands it to the two wings. */

export interface ComposeDeps {
  readonly deployment: Deployment;
  readonly issuer: string;
  readonly mtlsBase: string | undefined;
  readonly version: string;
  /** Name of this process. */
  readonly node: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly draining: () => boolean;
}

export interface Composition {
  readonly routes: readonly Route[];
  readonly adminResource: string;
  readonly jobs: JobRunner;
  ensureAdmin(): Promise<AdminAccount>;
  resetAdmin(): Promise<AdminAccount>;
  /** Whether this name of this identity (as documents name it) has a secret already. */
  hasSecret(identity: string, name: string): Promise<boolean>;
  /** Applies declared objects; see governance/admin/documents.ts. */
  apply(documents: readonly unknown[]): ReturnType<typeof applyDocuments>;
  /** Answers everybody who waits for news: the first step of a drain. */
  release(): void;
  /** Writes what is only counted so far, and closes log and database. */
  close(): Promise<void>;
}

export async function compose(deps: ComposeDeps): Promise<Composition> {
  const opened: (() => Promise<void>)[] = [];
  try {
    return await composeWith(deps, opened);
  } catch (error) {
    for (const close of opened.reverse()) await close().catch(() => undefined);
    throw error;
  }
}

/** `opened` is told how to close what is open, for a start that fails further on. */
async function composeWith(deps: ComposeDeps, opened: (() => Promise<void>)[]): Promise<Composition> {
  const { deployment, issuer, clock, random, node, logger } = deps;
  const { refusedMethods, maximumAge, enforcedAge, lifetimeLimits } = policyOf(deployment);
  const { jwks, fetchFault } = openOutbound(deployment);
  await mkdir(deployment.dataDir, { recursive: true, mode: 0o700 });
  const masterKey = await loadMasterKey(deployment.masterKeyFile, deployment.mode === 'dev', random);
  if (deployment.mode === 'serve' && (await isReadableByOthers(deployment.masterKeyFile))) {
    throw new SettingError(
      'master-key-file',
      'is readable by others',
      `chmod 600 ${deployment.masterKeyFile}`,
    );
  }
  const storage = preparingKeys(await openStorage(deployment, clock));
  opened.push(() => storage.close());
  await checkMasterKey(masterKey, storage.settings);
  const sink = await openAuditSink(deployment, logger);
  opened.push(() => sink.close());
  await requireRegistryOfLog(storage, sink);
  const log = createAuditLog(sink, (error) =>
    logger.error({ err: error }, 'the audit log cannot be written: nothing is issued'),
  );
  const changes = createChanges({ storage, log, clock, random, node });
  const seal = createSeal(masterKey.derive('seal'), random);
  const secretHash = createSecretHash(masterKey.derive('secret-hash'));
  const rotation: RotationDeps = {
    signer: localSigner(seal),
    clock,
    random,
    schedule: scheduleOf(deployment),
  };
  const rotateIfDue = () => changes.run(AUTHORITY, (stores, tell) => rotateAll(rotation, stores, tell));
  await untilAlone(rotateIfDue);
  const keystore = await openKeystore(storage, rotation, clock, logger);
  const facts = createFactsCache({ storage, capacity: deployment.cachedIdentities });
  const ledger = createCutoffLedger({ storage, clock });
  const feed = createCutoffFeed({ ledger, keystore, clock, issuer });
  const followers = createCutoffFollowers({ ledger, store: storage.cutoffReceipts, clock });
  const resourceServers = knownResourceServers(storage);
  const lifetimes = { default: deployment.tokenLifetime, maximum: deployment.tokenLifetimeMax };
  const counters: IssuanceCounters = { tokensIssued: 0, refusals: new Map() };
  const pace = createIssuancePace(clock.now());
  await beginToNote(storage.settings, clock);
  const uses = createCredentialUses(storage.credentialUse, (error) =>
    logger.warn({ err: error }, 'the last use of a credential could not be noted'),
  );
  const budgets = createBudgets({
    issuanceQuota: deployment.issuanceQuota,
    enforced: deployment.issuanceQuotaMode === 'enforce',
    apiKeyRate: deployment.apiKeyRate,
    failureLimit: deployment.failureLimit,
  });
  const strangers = createStrangerBudget({
    log,
    freeBytes: () => sink.freeBytes(),
    reservedBytes: deployment.auditReserve,
    clock,
    random,
    node,
  });
  const report = (error: unknown, requestId: string) =>
    logger.error({ err: error, request_id: requestId }, 'a request failed because of a bug');
  const adminResource = `${issuer}/v1`;
  const shared = {
    issuer,
    adminResource,
    mtlsBase: deps.mtlsBase,
    clientCertificates: deps.mtlsBase !== undefined || deployment.certificateHeader !== undefined,
    storage,
    log,
    facts,
    keystore,
    strangers,
    refusedMethods,
    clock,
    random,
    node,
    report,
  };
  const governance: GovernanceDeps = {
    ...shared,
    maximumAge,
    version: deps.version,
    changes,
    rotation,
    requireSigningKey: (stores, alg, tell) => ensureSigningKey(rotation, stores, alg, tell),
    ledger,
    followers,
    lifetimes,
    secretHash,
    seal,
    tokenReasons: REFUSALS,
    testAssertion: createAssertionTest({ ...shared, jwks }),
    fetchFault,
  };
  const wings = [
    ...createOAuthRoutes({
      ...shared,
      secretHash,
      feed,
      followers,
      resourceServers,
      changes,
      ledger,
      counters,
      pace,
      uses,
      budgets,
      enforcedAge,
      lifetimeLimits,
      lifetimes,
      jwksMaxAge: deployment.jwksMaxAge,
      usedOnce: storage.usedOnce,
      jwks,
      dpop: {
        nonceKey: deployment.dpopNonce ? masterKey.derive('dpop-nonce') : undefined,
      },
    }),
    ...createAdminRoutes(governance),
  ];
  const logReady = createLogReadiness(shared);
  const operation = operationRoutes({
    checks: async () => ({ database: await answers(storage), audit_log: await logReady() }),
    draining: deps.draining,
    metrics: () => ({
      contentType: METRICS_CONTENT_TYPE,
      text: renderMetrics(
        authorityMetrics({ budgets, counters, facts, feed, followers, log, sink, version: deps.version }),
      ),
    }),
    refuseMetrics: createMetricsGuard({ ...governance, behindProxy: deployment.trustedProxies.length > 0 }),
  });
  const jobs = createJobRunner({
    jobs: createJobs({ ...governance, rotateIfDue, pace }),
    timers: systemTimers,
    report: (job, error) => logger.error({ err: error, job }, 'a job failed; it runs again at its time'),
  });
  const admin = {
    ...governance,
    digest: (secret: string) => secretHash.digest(secret),
    resource: adminResource,
  };
  return {
    // Probes and metrics are asked by this machine's own, who know no issuer.
    routes: [...below(new URL(issuer).pathname.replace(/\/$/, ''), wings), ...operation],
    adminResource,
    jobs,
    ensureAdmin: () => ensureAdmin(admin),
    resetAdmin: () => resetAdmin(admin),
    hasSecret: (identity, name) => hasLiveSecret(storage, identity, name, clock.now()),
    apply: (documents) => applyDocuments(admin, AUTHORITY, documents, { dryRun: false }),
    release: () => feed.drain(),
    async close() {
      await strangers.summarise();
      strangers.close();
      await log.close();
      await followers.close();
      facts.close();
      resourceServers.close();
      ledger.close();
      await storage.close();
    },
  };
}

async function answers(storage: Storage): Promise<boolean> {
  try {
    await storage.ping();
    return storage.coherent();
  } catch {
    return false;
  }
}
