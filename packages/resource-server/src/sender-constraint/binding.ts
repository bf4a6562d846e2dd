// Whether a token may be used by who presents it: RFC 7800 §3.1, RFC 9449 §7, RFC 8705 §3.
import type { AccessTokenClaims, TokenScheme } from '@countersign/protocol/portable';
import type { Finding } from '../finding.ts';
import type { Platform } from '../platform/platform.ts';
import type { VerifierSettings } from '../settings.ts';
import { createDpopCheck, type DpopCheck } from './dpop.ts';
import { checkCertificate } from './mtls.ts';
import type { SenderConstraintWanted } from './settings.ts';

/** A token with what came beside it. */
export interface Presentation {
  readonly token: string;
  readonly scheme: TokenScheme;
  readonly dpop: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
  /** Asked only for a token that is bound to one. */
  readonly certificate: () => Uint8Array | undefined;
}

/** What a token says of whose it is and what it is bound to. */
export type Bound = Pick<AccessTokenClaims, 'cnf' | 'iss' | 'sub' | 'client_id'>;

export interface Holders {
  /** What keeps who presents it from using a bound token, whatever the options say; undefined when it is its holder. */
  check(claims: Bound, presentation: Presentation): Promise<Finding | undefined>;
  /** For every answer to a token that is bound to a key, when nonces are asked for: RFC 9449 §8.2. */
  nonceHeaders(): Promise<Readonly<Record<string, string>> | undefined>;
}

export function openHolders(
  { senderConstraint, dpop, clock }: Pick<VerifierSettings, 'senderConstraint' | 'dpop' | 'clock'>,
  platform: Platform,
): Holders {
  const proofs = createDpopCheck(dpop, platform, clock);
  return {
    nonceHeaders: () => proofs.nonceHeaders(),
    check: (claims, presentation) => checkHolder(claims, presentation, senderConstraint, platform, proofs),
  };
}

async function checkHolder(
  claims: Bound,
  presentation: Presentation,
  wanted: SenderConstraintWanted,
  platform: Platform,
  proofs: DpopCheck,
): Promise<Finding | undefined> {
  const { scheme } = presentation;
  const { cnf } = claims;
  if (cnf === undefined) {
    if (wanted !== 'none') return { reason: 'token_not_bound' };
    // RFC 9449 §7.1: the scheme says that there is a key; where there is none, somebody took it away.
    return scheme === 'DPoP' ? { reason: 'unbound_token_as_dpop' } : undefined;
  }
  // RFC 7800 §3.1: half of a confirmation that is not understood is no confirmation.
  if (cnf.unknown.length > 0) return { reason: 'sender_constraint_not_supported', detail: cnf.unknown[0] };
  const { jkt, 'x5t#S256': thumbprint } = cnf;
  const bound = { dpop: jkt !== undefined, mtls: thumbprint !== undefined };
  if (wanted !== 'none' && wanted !== 'any' && !bound[wanted]) return { reason: 'token_not_bound' };
  // A token bound to both is for who has both.
  if (thumbprint !== undefined) {
    const finding = await checkCertificate(thumbprint, presentation.certificate(), platform);
    if (finding !== undefined) return finding;
  }
  if (jkt === undefined) return scheme === 'DPoP' ? { reason: 'unbound_token_as_dpop' } : undefined;
  // RFC 9449 §7.2: stolen and presented as if nothing were known of its key.
  if (scheme !== 'DPoP') return { reason: 'bound_token_as_bearer' };
  return proofs.check({ ...presentation, jkt, holder: holderOf(claims) });
}

/** Who it is about and who shows it: a client that acts for another uses up nothing of that one's. */
function holderOf({ iss, sub, client_id }: Bound): string {
  return JSON.stringify([iss, sub, client_id]);
}
