import type { z } from 'zod';
import { accessHistoryOperations } from './access-history.ts';
import { accessOperations } from './access.ts';
import { applyOperations } from './apply.ts';
import { approvalRuleOperations } from './approval-rules.ts';
import { approvalOperations } from './approvals.ts';
import { auditOperations } from './audit.ts';
import { certificateAuthorityOperations } from './certificate-authorities.ts';
import { certificateOperations } from './certificates.ts';
import { credentialOperations } from './credentials.ts';
import { claimCodeOperations } from './claim-codes.ts';
import { deviceOperations } from './devices-import.ts';
import { decommissioningOperations } from './decommissioning.ts';
import { cutoffOperations } from './cutoffs.ts';
import { findingOperations } from './findings.ts';
import { identityOperations } from './identities.ts';
import { keyOperations } from './keys.ts';
import { leakOperations } from './leaks.ts';
import { meOperations } from './me.ts';
import { ownershipOperations } from './ownership.ts';
import { peopleOperations } from './people.ts';
import { peopleImportOperation } from './people-import.ts';
import { policyOperations } from './policies.ts';
import { policyExceptionOperations } from './policy-exceptions.ts';
import { proposalOperations } from './proposals.ts';
import { resourceServerOperations } from './resource-servers.ts';
import { reviewOperations } from './reviews.ts';
import { riskOperations } from './risk.ts';
import { svidOperations } from './svids.ts';
import { teamOperations } from './teams.ts';
import { tokenOperations } from './tokens.ts';
import { trustDomainOperations } from './trust-domains.ts';
import { trustedIssuerOperations } from './trusted-issuers.ts';
import { usageOperations } from './usage.ts';
import { webhookOperations } from './webhooks.ts';
import { workloadOperations } from './workloads.ts';

/** The whole admin API. */
export const operations = {
  ...identityOperations,
  ...decommissioningOperations,
  ...credentialOperations,
  ...certificateOperations,
  ...certificateAuthorityOperations,
  ...claimCodeOperations,
  ...deviceOperations,
  ...resourceServerOperations,
  ...trustedIssuerOperations,
  ...accessHistoryOperations,
  ...accessOperations,
  ...approvalOperations,
  ...approvalRuleOperations,
  ...policyOperations,
  ...policyExceptionOperations,
  ...reviewOperations,
  ...keyOperations,
  ...cutoffOperations,
  ...findingOperations,
  ...proposalOperations,
  ...riskOperations,
  ...peopleOperations,
  'people.import': peopleImportOperation,
  ...ownershipOperations,
  ...teamOperations,
  ...usageOperations,
  ...auditOperations,
  ...tokenOperations,
  ...applyOperations,
  ...meOperations,
  ...webhookOperations,
  ...leakOperations,
  ...workloadOperations,
  ...svidOperations,
  ...trustDomainOperations,
};

export type Operations = typeof operations;
export type OperationId = keyof Operations;

/** Path parameters as parsed. */
export type ParamsOf<Id extends OperationId> = z.output<Operations[Id]['params']>;
/** Query as parsed, defaults filled in. */
export type QueryOf<Id extends OperationId> = z.output<Operations[Id]['query']>;
/** Body as parsed, defaults filled in; undefined where there is none. */
export type BodyOf<Id extends OperationId> = Operations[Id]['body'] extends infer B
  ? B extends z.ZodType
    ? z.output<B>
    : undefined
  : never;
/** The answer's body. */
export type ResponseOf<Id extends OperationId> = z.output<Operations[Id]['response']>;

export const operationIds: readonly OperationId[] = Object.keys(operations) as OperationId[];
