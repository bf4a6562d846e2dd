// What is known of one issuer from the options: RFC 8414 §2, RFC 8725 §3.1.
import type { Issuer, JwsAlgorithm } from '@countersign/protocol/portable';

export interface IssuerSettings {
  readonly issuer: Issuer;
  readonly jwks: string | { readonly keys: readonly unknown[] } | undefined;
  readonly algorithms: ReadonlySet<JwsAlgorithm>;
  /** What RSA keys without `alg` are taken for: the only RSA algorithm allowed, if there is one. */
  readonly rsaAlgorithm: 'RS256' | 'RS384' | 'PS256' | undefined;
  readonly allowPlainJwt: boolean;
  readonly followCutoffs: boolean;
}
