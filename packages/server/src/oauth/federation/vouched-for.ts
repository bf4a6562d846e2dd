// What is known of a caller once the signature of its assertion holds: RFC 7523 §3, 9.
import type { JsonObject } from '@countersign/protocol';
import { claimAt, ISSUER_KINDS } from '../../registry/federation-rule.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import { Refusal } from '../refusal.ts';

/** Of a claim that an issuer may make as long as it likes. */
const MOST_CHARS = 200;

/**
 * Runs checks that come after the signature: what they refuse is refused of somebody for whom a trusted issuer has signed,
 * and is not counted with those who proved nothing.
 */
export async function vouchedFor<Checked>(
  trustedIssuer: TrustedIssuerRecord,
  claims: JsonObject,
  check: () => Checked | Promise<Checked>,
): Promise<Checked> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Refusal) {
      error.voucher = { trustedIssuer: trustedIssuer.id, subject: subjectText(trustedIssuer, claims) };
    }
    throw error;
  }
}

/** The claims that rules about this kind of issuer have to pin, as one text. */
function subjectText({ kind }: TrustedIssuerRecord, claims: JsonObject): string {
  return ISSUER_KINDS[kind].pins
    .map((pin) => {
      const value = claimAt(claims, pin);
      return `${pin}=${typeof value === 'string' ? value.slice(0, MOST_CHARS) : '(none)'}`;
    })
    .join(' ');
}
