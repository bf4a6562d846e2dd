import type { Clock } from '../clock.ts';
import { type Dialect, type Transaction, statement } from './database.ts';
import { registry } from './migrations/0001-registry.ts';
import { audit } from './migrations/0002-audit.ts';
import { trustedIssuers } from './migrations/0011-trusted-issuers.ts';
import { findings } from './migrations/0014-findings.ts';
import { cutoffReceipts } from './migrations/0020-cutoff-receipts.ts';
import { usage } from './migrations/0021-usage.ts';
import { usedOnceBatches } from './migrations/0022-used-once-batches.ts';
import { scopeRoutes } from './migrations/0023-scope-routes.ts';
import { statusIndexes } from './migrations/0025-status-indexes.ts';
import { earlierTokenAge } from './migrations/0026-earlier-token-age.ts';
import { peopleIssuers } from './migrations/0030-people-issuers.ts';
import { lifecycle } from './migrations/0031-lifecycle.ts';
import { people } from './migrations/0032-people.ts';
import { approvals } from './migrations/0033-approvals.ts';
import { rotation } from './migrations/0034-rotation.ts';
import { policies } from './migrations/0035-policies.ts';
import { notices } from './migrations/0036-notices.ts';
import { trace } from './migrations/0037-trace.ts';
import { reviews } from './migrations/0038-reviews.ts';
import { rightSizing } from './migrations/0039-right-sizing.ts';
import { certificates } from './migrations/0041-certificates.ts';
import { claimCodes } from './migrations/0042-claim-codes.ts';
import { usedOnceApart } from './migrations/0040-used-once-apart.ts';
import { workloads } from './migrations/0049-workloads.ts';
import { trustDomains } from './migrations/0050-trust-domains.ts';
import { authorityRequests } from './migrations/0051-authority-requests.ts';
import { certificateLines } from './migrations/0052-certificate-lines.ts';
import { idempotencyDigests } from './migrations/0055-idempotency-digests.ts';
import { identifierHistory } from './migrations/0056-identifier-history.ts';
import { bundleEndpoints } from './migrations/0057-bundle-endpoints.ts';

/** In the order in which they are applied. One that has been released is never changed: a new one follows it. */
const MIGRATIONS: readonly {
  readonly name: string;
  readonly texts: (dialect: Dialect) => readonly string[];
}[] = [
  { name: '0001-registry', texts: registry },
  { name: '0002-audit', texts: audit },
  { name: '0011-trusted-issuers', texts: trustedIssuers },
  { name: '0014-findings', texts: findings },
  { name: '0020-cutoff-receipts', texts: cutoffReceipts },
  { name: '0021-usage', texts: usage },
  { name: '0022-used-once-batches', texts: usedOnceBatches },
  { name: '0023-scope-routes', texts: scopeRoutes },
  { name: '0025-status-indexes', texts: statusIndexes },
  { name: '0026-earlier-token-age', texts: earlierTokenAge },
  { name: '0030-people-issuers', texts: peopleIssuers },
  { name: '0031-lifecycle', texts: lifecycle },
  { name: '0032-people', texts: people },
  { name: '0033-approvals', texts: approvals },
  { name: '0034-rotation', texts: rotation },
  { name: '0035-policies', texts: policies },
  { name: '0036-notices', texts: notices },
  { name: '0037-trace', texts: trace },
  { name: '0038-reviews', texts: reviews },
  { name: '0039-right-sizing', texts: rightSizing },
  { name: '0040-used-once-apart', texts: usedOnceApart },
  { name: '0041-certificates', texts: certificates },
  { name: '0042-claim-codes', texts: claimCodes },
  { name: '0049-workloads', texts: workloads },
  { name: '0050-trust-domains', texts: trustDomains },
  { name: '0051-authority-requests', texts: authorityRequests },
  { name: '0052-certificate-lines', texts: certificateLines },
  { name: '0055-idempotency-digests', texts: idempotencyDigests },
  { name: '0056-identifier-history', texts: identifierHistory },
  { name: '0057-bundle-endpoints', texts: bundleEndpoints },
];

const createTable = statement(
  '',
  `CREATE TABLE IF NOT EXISTS schema_migrations
     (name TEXT PRIMARY KEY, position BIGINT NOT NULL, applied_at BIGINT NOT NULL)`,
);
const selectApplied = statement('', 'SELECT name FROM schema_migrations ORDER BY position');
const insertApplied = statement(
  '',
  'INSERT INTO schema_migrations (name, position, applied_at) VALUES ($1, $2, $3)',
);

/**
 * Brings the tables to what this version needs, all in the given transaction, which holds the database's migration
 * lock. Refuses a database that a newer version has changed.
 */
export async function migrate(tx: Transaction, dialect: Dialect, clock: Clock): Promise<void> {
  await tx.run(createTable);
  const applied = (await tx.query<{ name: string }>(selectApplied)).map((row) => row.name);
  applied.forEach((name, index) => {
    if (MIGRATIONS[index]?.name !== name) {
      throw new Error(
        `the database was changed by another version of Countersign: it has migration ${name}, which this one does not know`,
      );
    }
  });
  for (const [index, { name, texts }] of MIGRATIONS.entries()) {
    if (index < applied.length) continue;
    for (const text of texts(dialect)) await tx.run(statement('', text));
    await tx.run(insertApplied, [name, index + 1, clock.now()]);
  }
}
