/** Why a document was not fetched. The first six are found before anything is sent. */
export const OUTBOUND_REASONS = [
  'url_malformed',
  'scheme_not_allowed',
  'port_not_allowed',
  'name_not_resolved',
  'address_not_allowed',
  'too_busy',
  'connection_failed',
  'certificate_not_trusted',
  'timed_out',
  'redirected',
  'status_not_ok',
  'wrong_content_type',
  'encoded',
  'too_large',
  'not_json',
  'not_a_key_set',
  'issuer_mismatch',
] as const;

export type OutboundReason = (typeof OUTBOUND_REASONS)[number];

/** A fetch that was not made, or whose answer is of no use. The message names host and reason, never a path or a query. */
export class OutboundRefusal extends Error {
  readonly reason: OutboundReason;
  readonly host: string;

  constructor(reason: OutboundReason, host: string, cause?: unknown) {
    super(`${reason}: ${host}`, cause === undefined ? undefined : { cause });
    this.name = 'OutboundRefusal';
    this.reason = reason;
    this.host = host;
  }
}
