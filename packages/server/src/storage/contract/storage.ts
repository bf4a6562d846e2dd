import { afterAll, beforeAll, describe } from 'vitest';
import type { Clock } from '../../clock.ts';
import type { Storage } from '../storage.ts';
import { accessContract } from './access.ts';
import { accessAsOfContract } from './access-as-of.ts';
import { approvalContract } from './approvals.ts';
import { certificateContract } from './certificates.ts';
import { trustDomainContract } from './trust-domains.ts';
import { workloadContract } from './workloads.ts';
import { changeContract } from './changes.ts';
import { credentialContract } from './credentials.ts';
import { cutoffReceiptContract } from './cutoff-receipts.ts';
import { cutoffContract } from './cutoffs.ts';
import { findingContract } from './findings.ts';
import { identityRiskContract } from './identity-risks.ts';
import { identityContract } from './identities.ts';
import { idempotencyContract } from './idempotency.ts';
import { lifecycleContract } from './lifecycle.ts';
import { mailContract } from './mails.ts';
import { modelContract } from './model.ts';
import { outboxContract } from './outbox.ts';
import { ownershipContract } from './ownership.ts';
import { peopleContract } from './people.ts';
import { policyContract } from './policies.ts';
import { proposalContract } from './proposals.ts';
import { resourceServerContract } from './resource-servers.ts';
import { rotationContract } from './rotation.ts';
import { reviewContract } from './reviews.ts';
import { settingContract } from './settings.ts';
import { signingKeyContract } from './signing-keys.ts';
import { statusIndexContract } from './status-indexes.ts';
import { trustedIssuerContract } from './trusted-issuers.ts';
import { transactionContract } from './transactions.ts';
import { usageContract } from './usage.ts';
import { usedOnceContract } from './used-once.ts';
import { webhookContract } from './webhooks.ts';
import { type Subject, testClock } from './subject.ts';

const PARTS: readonly (readonly [string, (subject: Subject) => void])[] = [
  ['identities', identityContract],
  ['credentials', credentialContract],
  ['resource servers', resourceServerContract],
  ['access', accessContract],
  ['access as of an instant', accessAsOfContract],
  ['approvals', approvalContract],
  ['certificates, their authorities and claim codes', certificateContract],
  ['workloads', workloadContract],
  ['trust domains', trustDomainContract],
  ['policies', policyContract],
  ['reviews', reviewContract],
  ['trusted issuers', trustedIssuerContract],
  ['signing keys', signingKeyContract],
  ['cut-offs', cutoffContract],
  ['receipts of cut-offs', cutoffReceiptContract],
  ['places in status lists', statusIndexContract],
  ['findings', findingContract],
  ['proposals', proposalContract],
  ['risks', identityRiskContract],
  ['people and teams', peopleContract],
  ['ownership', ownershipContract],
  ['usage', usageContract],
  ['what time does', lifecycleContract],
  ['rotation', rotationContract],
  ['webhooks and what is sent to them', webhookContract],
  ['mails', mailContract],
  ['outbox', outboxContract],
  ['used once', usedOnceContract],
  ['idempotency', idempotencyContract],
  ['settings', settingContract],
  ['transactions', transactionContract],
  ['changes', changeContract],
  ['model', modelContract],
];

/**
 * Every sentence of the storage port as tests. A backend passes it or is none.
 *
 * @param open gives an empty storage of its own at each call; the suite closes it
 */
export function storageContract(name: string, open: (clock: Clock) => Promise<Storage>): void {
  describe(`${name} keeps the storage contract`, () => {
    for (const [part, tests] of PARTS) {
      describe(part, () => {
        let opened: Storage | undefined;
        const clock = testClock();
        beforeAll(async () => {
          opened = await open(clock);
        });
        afterAll(async () => {
          await opened?.close();
        });
        tests({
          clock,
          storage: () => {
            if (opened === undefined) throw new Error('the storage was not opened');
            return opened;
          },
        });
      });
    }
  });
}
