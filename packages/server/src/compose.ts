import { createLogReadiness } from './audit/readiness.ts';
import { createStrangerBudget } from './audit/stranger-budget.ts';
import { createCutoffFeed } from './cutoff/feed.ts';
import { createCutoffFollowers } from './cutoff/followers.ts';
import { createCutoffLedger } from './cutoff/ledger.ts';
import { createStatusLists } from './cutoff/status-list.ts';
import { consoleRoutes } from './console/routes.ts';
import { policyOf } from './deployment-policy.ts';
import { developmentPeople } from './development/people.ts';
import { type FoundationDeps, layFoundation } from './foundation.ts';
import {
  type AdminAccount,
  AUTHORITY,
  applyDocuments,
  createAdminRoutes,
  createJobRunner,
  createJobs,
  createMetricsGuard,
  createOwnUse,
  ensureAdmin,
  type GovernanceDeps,
  hasLiveSecret,
  type JobRunner,
  markAdminUntold,
  resetAdmin,
  scopesOfRoles,
  systemTimers,
} from './governance/compose.ts';
import { operationRoutes } from './http/operation.ts';
import { below, type Route } from './http/route.ts';
import { ensureSigningKey } from './keys/rotation.ts';
import {
  createAccessPolicy,
  createAssertionTest,
  createBudgets,
  createOAuthRoutes,
  createTrustBundles,
  type IssuanceCounters,
  REFUSALS,
} from './oauth/compose.ts';
import { compromiseKey } from './ca/compromise.ts';
import { createRevocationLists } from './ca/revocation-lists.ts';
import { takeRootOffline } from './ca/root-offline.ts';
import { openCertificateAuthority } from './open-authority.ts';
import { openMail, openOutbound } from './open-state.ts';
import { createClaimCodes } from './registry/claim/find-code.ts';
import { createFactsCache } from './registry/facts-cache.ts';
import { createFirstProof } from './registry/first-proof.ts';
import { standingInDirectory } from './registry/people.ts';
import { activePeopleIssuer } from './registry/people-issuer.ts';
import { createIssuancePace } from './registry/issuance-pace.ts';
import { knownResourceServers } from './registry/known-resource-servers.ts';
import { createCredentialPlaces } from './registry/use/credential-places.ts';
import { beginToNote, createCredentialUses } from './registry/use/credential-uses.ts';
import { bundleRefreshHint, createOwnBundle } from './ca/own-bundle.ts';
import { ownerAcceptance } from './registry/owner/acceptance.ts';
import { beginToSee, createCredentialInstances } from './registry/use/credential-instances.ts';
import { createEndingCallers } from './registry/use/ending-callers.ts';
import type { Storage } from './storage/storage.ts';
import { authorityMetrics } from './telemetry/authority-metrics.ts';
import { METRICS_CONTENT_TYPE, renderMetrics } from './telemetry/metrics.ts';
import { createBusyShare } from './telemetry/event-loop.ts';

/** Builds everything once and hands it to the two wings. With foundation.ts and open-state.ts, all that knows adapters. */

export interface ComposeDeps extends FoundationDeps {
  readonly issuer: string;
  readonly mtlsBase: string | undefined;
  readonly version: string;
  readonly draining: () => boolean;
  /** Where the files of the console are; undefined: there is none. */
  readonly consoleFolder?: URL | undefined;
}

export interface Composition {
  readonly routes: readonly Route[];
  readonly adminResource: string;
  readonly jobs: JobRunner;
  ensureAdmin(): Promise<AdminAccount>;
  /** The secret that `ensureAdmin` made reached nobody. */
  adminUntold(): Promise<void>;
  resetAdmin(): Promise<AdminAccount>;
  /** Gives the key of the root away; see ca/root-offline.ts. */
  takeRootOffline(asked: Parameters<typeof takeRootOffline>[1]): ReturnType<typeof takeRootOffline>;
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
  const { refusedMethods, maximumAge, enforcedAge, lifetimeLimits, credentialExpiring } =
    policyOf(deployment);
  const { fetch, jwks, post, fetchFault } = openOutbound(deployment);
  const mail = await openMail(deployment);
  const foundation = await layFoundation(deps, opened);
  const {
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
  } = foundation;
  const { issuing, ...authorities } = await openCertificateAuthority({
    ...deps,
    ...rotation,
    storage,
    changes,
  });
  const revocationLists = createRevocationLists({ storage, ca: issuing.ca, clock });
  const refreshHint = bundleRefreshHint(deployment.keyLead);
  const ownBundle = createOwnBundle({ ...issuing, storage, svidKeystore, clock, refreshHint });
  const facts = createFactsCache({ storage, capacity: deployment.cachedIdentities });
  const ledger = createCutoffLedger({ storage, clock });
  const feed = createCutoffFeed({ ledger, keystore, clock, issuer });
  const followers = createCutoffFollowers({ ledger, store: storage.cutoffReceipts, clock });
  const resourceServers = knownResourceServers(storage);
  const statusLists = createStatusLists({ storage, keystore, clock, issuer });
  const lifetimes = { default: deployment.tokenLifetime, maximum: deployment.tokenLifetimeMax };
  const counters: IssuanceCounters = { tokensIssued: 0, refusals: new Map() };
  const pace = createIssuancePace(clock.now());
  const places = createCredentialPlaces();
  await beginToNote(storage.settings, clock);
  const uses = createCredentialUses(storage.credentialUse, (error) =>
    logger.warn({ err: error }, 'the last use of a credential could not be noted'),
  );
  const ending = createEndingCallers(storage);
  await beginToSee(storage.settings, clock);
  const instances = createCredentialInstances(storage.credentialInstances);
  const firstProof = createFirstProof({ changes, clock, random });
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
    busy: createBusyShare(),
  });
  const report = (error: unknown, requestId: string) =>
    logger.error({ err: error, request_id: requestId }, 'a request failed because of a bug');
  const adminResource = `${issuer}/v1`;
  const devPeople = deployment.devPeople ? developmentPeople({ issuer, clock, random }) : undefined;
  const shared = {
    issuer,
    adminResource,
    mtlsBase: deps.mtlsBase,
    clientCertificates: deps.mtlsBase !== undefined || deployment.certificateHeader !== undefined,
    storage,
    log,
    facts,
    people: {
      trustedIssuers: storage.trustedIssuers,
      builtIn: devPeople?.trustedIssuer,
      standing: standingInDirectory(storage.people),
    },
    keystore,
    strangers,
    ending,
    instances,
    refusedMethods,
    clock,
    random,
    node,
    report,
  };
  const peopleIssuer = async (): Promise<string | undefined> =>
    (await activePeopleIssuer(storage.trustedIssuers, devPeople?.trustedIssuer))?.issuer;
  const ownUse = createOwnUse(shared);
  const bundles = createTrustBundles({
    trustDomain: issuing.trustDomain,
    trustDomains: storage.trustDomains,
    jwks: () => svidKeystore.jwks(),
    trust: () => issuing.ca.trust(),
    fetch,
    clock,
  });
  const governance: GovernanceDeps = {
    ...shared,
    countUse: (...call) => ownUse.count(...call),
    maximumAge,
    rotationOverlap: deployment.rotationOverlap * 1000,
    ownerAcceptance: ownerAcceptance(deployment.ownerAcceptance),
    leakAction: deployment.leakAction,
    approvalValidity: deployment.approvalValidity * 1000,
    expiringWithin: deployment.accessExpiring * 1000,
    rollbackWindow: deployment.rollbackWindow * 1000,
    version: deps.version,
    changes,
    rotation,
    compromiseKey: (stores, id, tell) => compromiseKey({ ...rotation, ...issuing }, stores, id, tell),
    issuing,
    claimCodeLifetime: deployment.claimCodeLifetime * 1000,
    trustDomain: issuing.trustDomain,
    svidKeystore,
    svidLifetimes: { x509: deployment.svidLifetime * 1000, jwt: deployment.jwtSvidLifetime },
    revocationLists,
    foreignBundles: () => bundles.declared(),
    requireSigningKey: (stores, alg, tell) => ensureSigningKey(rotation, stores, alg, tell),
    ledger,
    followers,
    lifetimes,
    lifetimeLimits,
    secretHash,
    seal,
    tokenReasons: REFUSALS,
    accessPolicy: createAccessPolicy({ refusedMethods, lifetimes, lifetimeLimits, enforcedAge }),
    testAssertion: createAssertionTest({ ...shared, jwks }),
    fetchFault,
    post,
  };
  const wings = [
    ...createOAuthRoutes({
      ...shared,
      ...issuing,
      revocationLists,
      claimCodes: createClaimCodes({ storage, secretHash }),
      bundles,
      ownBundle,
      secretHash,
      scopesOfRoles,
      feed,
      followers,
      resourceServers,
      statusLists,
      changes,
      ledger,
      counters,
      pace,
      places,
      uses,
      budgets,
      enforcedAge,
      lifetimeLimits,
      lifetimes,
      maximumAge,
      fetchFault,
      rotationOverlap: deployment.rotationOverlap * 1000,
      jwksMaxAge: deployment.jwksMaxAge,
      usedOnce: storage.usedOnce,
      jwks,
      firstProof,
      dpop: {
        nonceKey: deployment.dpopNonce ? masterKey.derive('dpop-nonce') : undefined,
      },
    }),
    ...createAdminRoutes(governance),
    ...(devPeople?.routes ?? []),
    ...(deps.consoleFolder === undefined
      ? []
      : consoleRoutes({ issuer, folder: deps.consoleFolder, peopleIssuer })),
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
    jobs: createJobs({
      ...governance,
      mail,
      digestDay: deployment.digestDay,
      webhooks: { seal, fetchFault, post, digest: (secret) => secretHash.digest(secret) },
      rotateIfDue: async () => {
        await rotateIfDue();
        await authorities.rotateIfDue();
      },
      certificateRetention: deployment.certificateRetention * 1000,
      reportOwnUse: () => ownUse.report(),
      pace,
      places,
      inactivity: deployment.inactiveIdentities,
      credentialExpiring,
      suspendedForMs: deployment.suspendedFindingAfter * 1000,
      missedReductions: deployment.missedReductions,
    }),
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
    adminUntold: () => markAdminUntold(storage),
    resetAdmin: () => resetAdmin(admin),
    takeRootOffline: (asked) =>
      takeRootOffline({ ...rotation, storage, changes, actor: AUTHORITY, random }, asked),
    hasSecret: (identity, name) => hasLiveSecret(storage, identity, name, clock.now()),
    apply: (documents) => applyDocuments(admin, AUTHORITY, documents, { dryRun: false }),
    release: () => feed.drain(),
    async close() {
      await ownUse.report(true).catch((error: unknown) => {
        logger.warn({ err: error }, 'what was used of the admin API last could not be written');
      });
      await instances.flush().catch((error: unknown) => {
        logger.warn({ err: error }, 'who used which credential last could not be written');
      });
      await ending.flush().catch((error: unknown) => {
        logger.warn({ err: error }, 'who called what is being decommissioned could not be written');
      });
      await strangers.summarise();
      strangers.close();
      await log.close();
      await followers.close();
      facts.close();
      resourceServers.close();
      statusLists.close();
      revocationLists.close();
      ownBundle.close();
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
