import type { SigningAlgorithm } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { SigningAlgorithm };

export interface ScopeDefinition {
  readonly name: string;
  readonly description: string;
  readonly sensitivity: number;
}

export interface TokenSettings {
  /** `cwt`: asked for in CBOR and bound to a symmetric key (RFC 9200, RFC 9202); always ES256. */
  readonly format: 'jwt' | 'opaque' | 'cwt';
  /** Seconds; undefined = the server's default. */
  readonly lifetime: number | undefined;
  readonly signingAlg: SigningAlgorithm;
  /** `at+jwt` (RFC 9068); `JWT` only for validators that refuse it. */
  readonly typ: 'at+jwt' | 'JWT';
  /** Its tokens say where their status is (draft-ietf-oauth-status-list), for verifiers that do not follow the cut-off feed. */
  readonly statusList?: true;
}

export interface ResourceServerRecord {
  readonly id: string;
  /** Absolute URI (RFC 8707 §2), unique, compared as a string. The `aud` of its tokens. */
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly ScopeDefinition[];
  readonly token: TokenSettings;
  readonly senderConstraint: 'none' | 'dpop' | 'mtls';
  readonly state: 'active' | 'deleted';
  readonly builtIn: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface ResourceServerStore {
  /** `unique_conflict` (`identifier`) when a live resource server has the identifier. */
  insert(record: ResourceServerRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row. `version_conflict`, `unique_conflict`. */
  replace(record: ResourceServerRecord): Promise<void>;
  byId(id: string): Promise<ResourceServerRecord | undefined>;
  /** Live ones only. */
  byIdentifier(identifier: string): Promise<ResourceServerRecord | undefined>;
  /**
   * What a scope of this name was called last, by whichever version of whichever resource server of this identifier, live or
   * deleted, that had one. Undefined: none had.
   */
  lastSensitivity(identifier: string, scope: string): Promise<number | undefined>;
  /** Live ones only, oldest first; `text` is a substring of name or identifier. */
  list(
    filter: { readonly text?: string | undefined },
    page: PageRequest,
  ): Promise<Page<ResourceServerRecord>>;
}
