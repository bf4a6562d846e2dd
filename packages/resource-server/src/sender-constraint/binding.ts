// Whether a token may be used by who presents it: RFC 7800 §3.1, RFC 9449 §7, RFC 8705 §3.
import type { AccessTokenClaims, Confirmation, TokenScheme } from '@countersign/protocol/portable';
import type { Finding } from '../finding.ts';
import type { Platform } from '../platform/platform.ts';
import type { DpopCheck } from './dpop.ts';
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

/** What proofs are checked with. */
export interface BindingDeps {
  readonly wanted: SenderConstraintWanted;
  readonly platform: Pick<Platform, 'sha256'>;
  /** Comes with the first token that is bound to a key. */
  dpop(): Promise<DpopCheck>;
}

/** A bound token without its proof is refused whatever the options say; an unbound one where they want it bound. */
export function checkBinding(
  { cnf }: AccessTokenClaims,
  presentation: Presentation,
  deps: BindingDeps,
): Finding | undefined | Promise<Finding | undefined> {
  if (cnf !== undefined) return checkProof(cnf, presentation, deps);
  if (deps.wanted !== 'none') return { reason: 'token_not_bound' };
  // RFC 9449 §7.1: the scheme says that there is a key; where there is none, somebody took it away.
  return presentation.scheme === 'DPoP' ? { reason: 'unbound_token_as_dpop' } : undefined;
}

async function checkProof(
  cnf: Confirmation,
  presentation: Presentation,
  { wanted, platform, dpop }: BindingDeps,
): Promise<Finding | undefined> {
  const { scheme } = presentation;
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
  return (await dpop()).check({ ...presentation, jkt });
}
