import type { Role, TrustedIssuerKind } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { Role, TrustedIssuerKind };

/** Where the keys of an issuer are: in its metadata, at a URL, or here. */
export type IssuerKeys =
  | { readonly from: 'discovery' }
  | { readonly from: 'jwks_uri'; readonly uri: string }
  | { readonly from: 'jwks'; readonly jwks: object };

/** How people sign in through an issuer of kind `people`, and what its groups stand for: each compared as a string. */
export interface PeopleSettings {
  /** What this authority is called there. */
  readonly clientId: string;
  /** The same for the console. */
  readonly consoleClientId: string | undefined;
  readonly scope: string;
  readonly handleClaim: string;
  readonly groupsClaim: string;
  /** Seconds. */
  readonly sessionLifetime: number;
  readonly roles: Readonly<Partial<Record<Role, readonly string[]>>>;
  readonly teams: Readonly<Record<string, readonly string[]>>;
}

export interface TrustedIssuerRecord {
  readonly id: string;
  /** The `iss` of its tokens: unique among those that are not deleted, compared as a string. */
  readonly issuer: string;
  readonly name: string;
  /** Says which claims name a subject for ever. */
  readonly kind: TrustedIssuerKind;
  readonly keys: IssuerKeys;
  /** PEM certificates trusted for its connections, in place of the platform's. */
  readonly ca: string | undefined;
  readonly algorithms: readonly string[];
  /** The only audience taken. Undefined: this authority's issuer and its token endpoint. */
  readonly audience: string | undefined;
  /** Seconds since `iat`. */
  readonly maxTokenAge: number;
  /**
   * What holds in the place of `maxTokenAge`, which was raised, for tokens issued before `until` (epoch seconds) that are
   * taken once: the marks of those that were used are kept for no longer than they could be taken.
   */
  readonly earlierTokens: { readonly maxAge: number; readonly until: number } | undefined;
  /** A token of it is taken once. */
  readonly singleUse: boolean;
  /** Of kind `people` alone. */
  readonly people: PeopleSettings | undefined;
  readonly state: 'active' | 'suspended' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface TrustedIssuerStore {
  /** `unique_conflict` (`issuer`) when one that is not deleted has the issuer, (`people`) when another of kind `people` is active. */
  insert(record: TrustedIssuerRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row. `version_conflict`, `unique_conflict`. */
  replace(record: TrustedIssuerRecord): Promise<void>;
  byId(id: string): Promise<TrustedIssuerRecord | undefined>;
  /** Not deleted ones only. */
  byIssuer(issuer: string): Promise<TrustedIssuerRecord | undefined>;
  /** Of kind `people`, the deleted ones too, oldest first. */
  ofPeople(): Promise<readonly TrustedIssuerRecord[]>;
  /** Not deleted ones only, oldest first; `text` is a substring of name or issuer. */
  list(filter: { readonly text?: string | undefined }, page: PageRequest): Promise<Page<TrustedIssuerRecord>>;
}
