import type { Dialect } from '../database.ts';

/** Other SPIFFE trust domains, whose workloads may prove themselves here. */
export function trustDomains(dialect: Dialect): readonly string[] {
  // Ids and times are compared byte by byte in both databases.
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const domain = `trust_domain ${text} NOT NULL, name ${text}, bundle ${text}, bundle_endpoint ${text},
    state ${text} NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  return [
    `CREATE TABLE trust_domains (id ${text} PRIMARY KEY, ${domain})`,
    `CREATE UNIQUE INDEX trust_domains_trust_domain ON trust_domains (trust_domain) WHERE state <> 'deleted'`,
    'CREATE INDEX trust_domains_page ON trust_domains (created_at, id)',
    `CREATE TABLE trust_domain_history (id ${text} NOT NULL, ${domain}, valid_from BIGINT NOT NULL,
      valid_to BIGINT NOT NULL, PRIMARY KEY (id, version))`,
  ];
}
