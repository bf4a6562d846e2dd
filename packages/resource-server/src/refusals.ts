// The refusals of one API, each with the challenges that fit the request: RFC 6750 §3, RFC 9449 §7.1, §7.2, RFC 9728 §5.1.
import type { AccessTokenClaims, TokenScheme } from '@countersign/protocol/portable';
import type { Finding } from './finding.ts';
import type { ScopeReader } from './needed-scope.ts';
import { type Refusal, type RefusalReason, refusal } from './refusal.ts';
import type { VerifierSettings } from './settings.ts';
import type { TokenRequest } from './token-request.ts';

export interface Refusals {
  /** `claims`: of the token, once it is known whose it is. */
  refuse(finding: Finding, request: TokenRequest, claims?: AccessTokenClaims): Refusal;
  /** Where no token could be found. */
  refuseUnread(reason: RefusalReason, scheme?: TokenScheme): Refusal;
}

export function createRefusals(
  { senderConstraint, metadata }: VerifierSettings,
  scopes: ScopeReader,
): Refusals {
  const resourceMetadata = metadata?.url;

  /** RFC 9449 §7.2: where both are taken, the one that was tried, or that the token is for. */
  function schemesFor(scheme: TokenScheme | undefined, claims?: AccessTokenClaims): readonly TokenScheme[] {
    if (senderConstraint === 'mtls') return ['Bearer'];
    const { jkt, 'x5t#S256': thumbprint } = claims?.cnf ?? {};
    if (jkt !== undefined) return ['DPoP'];
    if (senderConstraint !== 'none') return [thumbprint === undefined ? 'DPoP' : 'Bearer'];
    return [scheme ?? 'Bearer'];
  }

  return {
    refuse: ({ reason, detail }, { scope, dpop, scheme = dpop === undefined ? 'Bearer' : 'DPoP' }, claims) =>
      refusal(reason, {
        resourceMetadata,
        scope: scopes.read(scope),
        detail,
        schemes: schemesFor(scheme, claims),
      }),
    refuseUnread: (reason, scheme) => refusal(reason, { resourceMetadata, schemes: schemesFor(scheme) }),
  };
}
