import type { Dialect } from '../database.ts';

/** How old tokens of a trusted issuer may get that were issued before its age was raised: what was used up stays so. */
export function earlierTokenAge(_dialect: Dialect): readonly string[] {
  return ['trusted_issuers', 'trusted_issuer_history'].flatMap((table) => [
    `ALTER TABLE ${table} ADD COLUMN earlier_max_token_age BIGINT`,
    `ALTER TABLE ${table} ADD COLUMN earlier_until BIGINT`,
  ]);
}
