// spiffe_jwt: a JWT-SVID in the place of a client assertion, draft-ietf-oauth-spiffe-client-auth §4; RFC 7521 §4.2.
import {
  isJwtSvidSignedBy,
  type JwtSvid,
  type JwtSvidMismatch,
  jwtSvidMismatch,
  type JwtSvidResult,
  parseJwtSvid,
  SPIFFE_CLIENT_ASSERTION_TYPE,
} from '@countersign/protocol';
import { backToBack } from '../../keys/back-to-back.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { decoyKey } from './decoy-key.ts';
import type { ClientAuthMethod } from './method.ts';
import { credentialNaming } from './spiffe-credential.ts';
import type { TrustBundles } from './trust-bundles.ts';

export interface SpiffeJwtDeps {
  readonly issuer: string;
  readonly bundles: Pick<TrustBundles, 'of'>;
}

const MISMATCHES: { readonly [fault in JwtSvidMismatch]: RefusalReason } = {
  wrong_audience: 'svid_audience',
  expired: 'svid_outdated',
  not_yet_valid: 'svid_outdated',
};

/** One SVID may be shown many times in its life: its clients keep it. Only its audience and its end bound who shows it, and where. */
export function spiffeJwt({ issuer, bundles }: SpiffeJwtDeps): ClientAuthMethod<JwtSvidResult> {
  const isSigned = backToBack(
    ({ svid, keys }: { svid: JwtSvid; keys: Parameters<typeof isJwtSvidSignedBy>[1] }) =>
      isJwtSvidSignedBy(svid, keys),
  );

  return {
    name: 'spiffe_jwt',

    present(_request, form) {
      if (form.get('client_assertion_type') !== SPIFFE_CLIENT_ASSERTION_TYPE) return undefined;
      return {
        clientId: form.get('client_id') ?? '',
        proof: parseJwtSvid(form.get('client_assertion') ?? ''),
      };
    },

    async verify({ clientId, proof: svid }, credentials, now) {
      if (!svid.ok) throw new Refusal('svid_malformed');
      if (clientId === '') throw new Refusal('svid_client_id_missing');
      // By keys of the trust domain that the subject names, and of no other. Whether the client exists makes no difference up to here.
      const bundle = await bundles.of(svid.id.trustDomain);
      const keys = bundle?.jwtKeys ?? [{ ...decoyKey(svid.alg), kid: svid.kid }];
      const signed = await isSigned({ svid, keys });
      if (bundle === undefined) throw new Refusal('svid_trust_domain_unknown');
      if (!signed) throw new Refusal('svid_untrusted');
      // The draft, §4: the one audience, as RFC 10070 has it for other assertions.
      if (svid.audience.length !== 1) throw new Refusal('svid_audience');
      const fault = jwtSvidMismatch(svid, issuer, Math.floor(now / 1000));
      if (fault !== undefined) throw new Refusal(MISMATCHES[fault]);
      return credentialNaming(svid.id, credentials, now);
    },
  };
}
