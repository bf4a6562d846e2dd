/** An authority that waits for a certificate from elsewhere keeps the request that it made. */
export function authorityRequests(): readonly string[] {
  return ['ALTER TABLE certificate_authorities ADD COLUMN request TEXT'];
}
