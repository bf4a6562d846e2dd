import type { Clock } from '../clock.ts';
import type { Storage, Stores } from '../storage/storage.ts';
import type { UsedOnceStore } from '../storage/used-once.ts';
import { accessStore } from './access.ts';
import { approvalRuleStore } from './approval-rules.ts';
import { approvalStore } from './approvals.ts';
import { credentialInstanceStore } from './credential-instances.ts';
import { credentialMakerStore } from './credential-makers.ts';
import { credentialUseStore } from './credential-use.ts';
import { credentialStore } from './credentials.ts';
import { cutoffStore } from './cutoffs.ts';
import { cutoffReceiptStore } from './cutoff-receipts.ts';
import { certificateAuthorityStore } from './certificate-authorities.ts';
import { claimCodeStore } from './claim-codes.ts';
import { certificateStore } from './certificates.ts';
import { type Database, type Session, sessionOf } from './database.ts';
import { endingCallerStore } from './ending-callers.ts';
import { findingStore } from './findings.ts';
import { idempotencyStore } from './idempotency.ts';
import { identityRiskStore } from './identity-risks.ts';
import { identityStore } from './identities.ts';
import { mailStore } from './mails.ts';
import { outboxStore } from './outbox.ts';
import { ownershipClockStore } from './ownership-clocks.ts';
import { ownershipOfferStore } from './ownership-offers.ts';
import { personStore } from './people.ts';
import { policyStore } from './policies.ts';
import { policyExceptionStore } from './policy-exceptions.ts';
import { reviewItemStore } from './review-items.ts';
import { reviewStore } from './reviews.ts';
import { proposalStore } from './proposals.ts';
import { resourceServerStore } from './resource-servers.ts';
import { scopeRouteStore } from './scope-routes.ts';
import { settingStore } from './settings.ts';
import { signingKeyStore } from './signing-keys.ts';
import { statusIndexStore } from './status-indexes.ts';
import { teamStore } from './teams.ts';
import { trustDomainStore } from './trust-domains.ts';
import { trustedIssuerStore } from './trusted-issuers.ts';
import { unregisteredCallerStore } from './unregistered-callers.ts';
import { coverageStore } from './usage-coverage.ts';
import { reporterStore } from './usage-reporters.ts';
import { usageStore } from './usage.ts';
import { webhookDeliveryStore } from './webhook-deliveries.ts';
import { webhookStore } from './webhooks.ts';
import { workloadStore } from './workloads.ts';

function storesOn(session: Session, clock: Clock, staleness: number): Stores {
  return {
    staleness,
    identities: identityStore(session),
    credentials: credentialStore(session),
    resourceServers: resourceServerStore(session),
    access: accessStore(session),
    approvalRules: approvalRuleStore(session),
    approvals: approvalStore(session),
    policies: policyStore(session),
    policyExceptions: policyExceptionStore(session),
    reviews: reviewStore(session),
    reviewItems: reviewItemStore(session),
    credentialMakers: credentialMakerStore(session),
    trustedIssuers: trustedIssuerStore(session),
    signingKeys: signingKeyStore(session, 'signing_keys'),
    svidKeys: signingKeyStore(session, 'svid_keys'),
    certificateAuthorities: certificateAuthorityStore(session),
    certificates: certificateStore(session),
    claimCodes: claimCodeStore(session),
    cutoffs: cutoffStore(session),
    cutoffReceipts: cutoffReceiptStore(session),
    statusIndexes: statusIndexStore(session),
    findings: findingStore(session),
    proposals: proposalStore(session),
    identityRisks: identityRiskStore(session),
    people: personStore(session),
    teams: teamStore(session),
    ownershipClocks: ownershipClockStore(session),
    ownershipOffers: ownershipOfferStore(session),
    usage: usageStore(session),
    usageReporters: reporterStore(session),
    coverage: coverageStore(session),
    credentialUse: credentialUseStore(session),
    credentialInstances: credentialInstanceStore(session),
    endingCallers: endingCallerStore(session),
    scopeRoutes: scopeRouteStore(session),
    unregisteredCallers: unregisteredCallerStore(session),
    trustDomains: trustDomainStore(session),
    workloads: workloadStore(session),
    webhooks: webhookStore(session),
    webhookDeliveries: webhookDeliveryStore(session),
    mails: mailStore(session),
    outbox: outboxStore(session),
    idempotency: idempotencyStore(session, clock),
    settings: settingStore(session),
  };
}

/** The port on a database that has its tables. */
export function storageOn(database: Database, clock: Clock, usedOnce: UsedOnceStore): Storage {
  const { staleness } = database;
  return {
    ...storesOn(database, clock, staleness),
    usedOnce,
    transaction: (work) => database.write((tx) => work(storesOn(sessionOf(tx), clock, staleness))),
    onChange: (listener) => database.onChange(listener),
    coherent: () => database.coherent(),
    scrub: () => database.scrub(),
    ping: () => database.ping(),
    close: () => database.close(),
  };
}
