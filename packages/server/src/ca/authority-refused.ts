import type { PathFault } from '../x509/path-validation.ts';

export type { PathFault };

/** Why an authority is not asked for, taken or given away. Closed: governance/admin/certificate-authorities.ts has words for each. */
export type AuthorityFault =
  | 'too_many_pending'
  | 'not_pending'
  /** Not PEM, or no certificates. */
  | 'malformed'
  /** More certificates than `MOST_IN_CHAIN`. */
  | 'too_many_certificates'
  /** Another key than that of the request. */
  | 'other_key'
  /** Without CA:TRUE, or of an older version than 3. */
  | 'not_an_authority'
  /** Without keyCertSign or cRLSign. */
  | 'key_usage'
  /** It may not issue for both server and client authentication. */
  | 'purposes'
  /** Without the key identifiers by which paths are found. */
  | 'key_identifiers'
  /** No name, or that of another authority here: lists are found by names. */
  | 'name'
  /** Not each issued by the next. */
  | 'out_of_order'
  /** Those above it do not end with one that issued itself. */
  | 'no_root'
  /** The root has not signed itself. */
  | 'root_signature'
  | 'ends_too_soon'
  /** The key of the root is not here, or there is none that signs. */
  | 'no_root_key'
  /** Without its root nothing could be issued for long. */
  | 'no_issuing_authority'
  /** What it would issue finds no way up to the root. */
  | { readonly path: PathFault };

export class AuthorityRefused extends Error {
  readonly fault: AuthorityFault;
  constructor(fault: AuthorityFault) {
    super(typeof fault === 'string' ? fault : fault.path);
    this.name = 'AuthorityRefused';
    this.fault = fault;
  }
}
