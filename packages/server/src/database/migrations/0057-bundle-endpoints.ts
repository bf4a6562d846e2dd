import type { Dialect } from '../database.ts';

/** Who answers at a bundle endpoint (https_spiffe), and what it answered last. */
export function bundleEndpoints(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `ALTER TABLE trust_domains ADD COLUMN endpoint_spiffe_id ${text}`,
    `ALTER TABLE trust_domain_history ADD COLUMN endpoint_spiffe_id ${text}`,
    `CREATE TABLE trust_bundles (trust_domain_id ${text} PRIMARY KEY, declaration ${text} NOT NULL, bundle ${text} NOT NULL,
      fetched_at BIGINT NOT NULL)`,
  ];
}
