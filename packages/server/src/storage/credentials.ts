import type { CredentialState, CredentialType } from '@countersign/admin-api';
import type { Due, DuePage, Page, PageRequest } from './page.ts';

export type { CredentialState, CredentialType };

/** A certificate that counts no more, until it would have ended anyway (epoch ms). */
export interface RevokedCertificate {
  readonly serialNumber: string;
  readonly until: number;
}

/** What the credential is checked against, one variant per type; only what is public or digested, never a secret. */
export type CredentialMaterial =
  | { readonly type: 'client_secret'; readonly publicId: string; readonly digest: string }
  | {
      readonly type: 'api_key';
      readonly publicId: string;
      readonly digest: string;
      /** Undefined: whatever the identity has access to. */
      readonly resourceServerId?: string;
      /** Undefined: all scopes of the access. */
      readonly scopes?: readonly string[];
    }
  | {
      readonly type: 'private_key_jwt';
      /** Public members, `kid`, `alg` and `x5t#S256` only. */
      readonly jwk?: object;
      readonly jwksUri?: string;
      readonly allowTokenEndpointAudience: boolean;
      /** Undefined: no. */
      readonly allowRs256?: boolean;
      /** Of the public key; several identities should not share it. Undefined: its client publishes its keys itself. */
      readonly subjectKey?: string;
    }
  | {
      readonly type: 'tls_client_auth';
      readonly field: 'subject_dn' | 'san_dns' | 'san_uri' | 'san_ip' | 'san_email';
      readonly value: string;
      /** PEM: the authorities, and nobody else, whose certificates count; or `built-in`: this deployment's own. */
      readonly ca: string;
      /** PEM: revocation lists. Undefined: nobody is told to be revoked. */
      readonly crl?: string;
      /** Of the deployment's own certificates those that were revoked and have not ended; undefined: none. */
      readonly revoked?: readonly RevokedCertificate[];
    }
  | {
      readonly type: 'self_signed_tls_client_auth';
      readonly certificate: string;
      readonly thumbprint: string;
      /** Of the public key in it, as that of a key alone. */
      readonly subjectKey?: string;
    }
  | {
      readonly type: 'federated';
      /** Id. */
      readonly trustedIssuer: string;
      /** Of the issuer and the values of its pinned claims: what a token is looked up by. Several rules may share it. */
      readonly subjectKey: string;
      /** Claim → the only value that meets it. */
      readonly conditions: Readonly<Record<string, string>>;
    }
  | { readonly type: 'spiffe'; readonly spiffeId: string };

/** Whose place a credential takes, and who saw to it: `itself` proved its identity by the one that it replaces. */
export interface Predecessor {
  readonly id: string;
  readonly by: 'itself' | 'administration';
}

/** What takes the place of a credential, and since when (epoch ms) both are there. */
export interface Successor {
  readonly id: string;
  readonly since: number;
}

export interface CredentialRecord {
  readonly id: string;
  readonly identityId: string;
  readonly label: string;
  readonly state: CredentialState;
  readonly material: CredentialMaterial;
  /** Undefined: it takes nobody's place. Never changes. */
  readonly predecessor?: Predecessor | undefined;
  /** Undefined: it was never rotated. */
  readonly successor?: Successor | undefined;
  readonly notBeforeAt: number;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** A credential that ends soon, of which that was not said yet. */
export interface EndingCredential extends Due {
  readonly createdAt: number;
}

/** How soon, counted from the end of a credential back: those that end after `after` and at `until` at the latest (epoch ms). */
export interface EndSoon {
  readonly after: number;
  readonly until: number;
  /** Told already where the same or fewer days were told of this end. */
  readonly days: number;
}

export interface CredentialFilter {
  readonly identityId?: string | undefined;
  readonly type?: CredentialType | undefined;
  readonly trustedIssuerId?: string | undefined;
  readonly state?: CredentialState | undefined;
  /** Only those that end before this instant. */
  readonly expiresBefore?: number | undefined;
}

export interface CredentialStore {
  /** `missing_reference` when the identity does not exist; `unique_conflict` (`public_id`) for a secret seen before. */
  insert(record: CredentialRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row. `version_conflict` otherwise. */
  replace(record: CredentialRecord): Promise<void>;
  byId(id: string): Promise<CredentialRecord | undefined>;
  /** The record as it was at the instant `at` (epoch ms), or undefined when it did not exist then. */
  asOf(id: string, at: number): Promise<CredentialRecord | undefined>;
  /**
   * The one whose secret has this public id, in any state. What it answers may be remembered until a change of its
   * identity is told (`onChange`); whose it is never changes.
   */
  byPublicId(publicId: string): Promise<CredentialRecord | undefined>;
  /** Those, of any type, whose material has it: those that have not ended first, each newest first; at most 200. */
  bySubjectKey(subjectKey: string): Promise<readonly CredentialRecord[]>;
  /**
   * The identity's credentials in any state, at most 1000: those that have not ended (revoked, expired) first, each newest
   * first, so that however often it rotates its live ones are among them.
   */
  ofIdentity(identityId: string): Promise<readonly CredentialRecord[]>;
  /** The newest of the identity's credentials that it could prove itself by at `at` (epoch ms), as it was then, however many came since. */
  usableAsOf(identityId: string, at: number): Promise<CredentialRecord | undefined>;
  list(filter: CredentialFilter, page: PageRequest): Promise<Page<CredentialRecord>>;
  /** Reads it, and keeps others from replacing it until this transaction ends: what they wrote before is in it. */
  hold(id: string): Promise<CredentialRecord | undefined>;
  /** Those of any state that took the place of this one, newest first; at most 100. */
  succeeding(id: string): Promise<readonly CredentialRecord[]>;
  /**
   * Ids of those that took its place, and of those that took theirs, oldest first, however many came between: all that have
   * not ended, and of the others those that ended after `since` (epoch ms). `by`: only what was made so, link after link.
   */
  heirs(id: string, since: number, by?: Predecessor['by']): Promise<readonly string[]>;
  /** Those that have a successor and have not ended, the longest rotated first; `at` is since when. */
  rotating(page: DuePage): Promise<readonly Due[]>;
  /**
   * Active ones that end soon, the soonest first: not those that have an active successor which lasts longer, and not
   * those of which this was told already.
   */
  endingSoon(soon: EndSoon, page: DuePage): Promise<readonly EndingCredential[]>;
  /** Keeps that so many days were told of this end. False when that, or less, was told before: whoever hears so says nothing. */
  tellEnd(id: string, expiresAt: number, days: number): Promise<boolean>;
  /** Those whose end has come at `until` and whose state does not say so, the longest overdue first. */
  due(until: number, page: DuePage): Promise<readonly Due[]>;
  /** Empties the digests of the identity's secrets, in every version that was ever kept: nothing matches them any more. */
  erase(identityId: string): Promise<void>;
}
