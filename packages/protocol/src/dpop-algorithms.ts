// What DPoP proofs may be signed with: RFC 9449 §4.2, §5.1.
import type { JwsAlgorithm } from './jws-algorithm.ts';

/** What proofs may be signed with. PKCS #1 v1.5 is left out: no client of DPoP is old enough to need it. */
export const DPOP_ALGORITHMS: readonly JwsAlgorithm[] = ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'];
