import type { PersonStatus } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { PersonStatus };

/** One human, as the organisation's directory knows them. People do not prove themselves here: this is whom owners name. */
export interface PersonRecord {
  readonly id: string;
  /** What `owner.person` and `owner.backup` name: an e-mail address or a user name. Never changes. */
  readonly handle: string;
  readonly name: string;
  readonly email: string | undefined;
  /** Its key in the directory that it comes from. */
  readonly externalId: string | undefined;
  readonly status: PersonStatus;
  /** When this authority learned that they left; undefined unless the status is `left`. */
  readonly leftAt: number | undefined;
  /** Handle of whom they report to; the directory need not know it. */
  readonly managerHandle: string | undefined;
  /** Entered by mistake: no lookup finds it, its handle is free. */
  readonly deleted: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface PersonFilter {
  readonly status?: PersonStatus | undefined;
  /** Handle of a manager, as `byHandle` compares. */
  readonly manager?: string | undefined;
  /** Substring of handle, name or e-mail, case-insensitive for ASCII. */
  readonly text?: string | undefined;
  /** Left at or after this instant. */
  readonly leftSince?: number | undefined;
}

/** Handles and e-mail addresses are compared without regard to ASCII case: `Ada@example.com` is `ada@example.com`. */
export interface PersonStore {
  /** Version 1, with its history row. `unique_conflict` (`handle`, `email`, `external_id`) while another live one has it. */
  insert(record: PersonRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row; the handle stays. `version_conflict`, `unique_conflict`. */
  replace(record: PersonRecord): Promise<void>;
  byId(id: string): Promise<PersonRecord | undefined>;
  /** Live ones only, as the next three. */
  byHandle(handle: string): Promise<PersonRecord | undefined>;
  /** As `byHandle`, and nobody changes that person before this transaction ends. */
  holdByHandle(handle: string): Promise<PersonRecord | undefined>;
  byEmail(email: string): Promise<PersonRecord | undefined>;
  byExternalId(externalId: string): Promise<PersonRecord | undefined>;
  /** Live ones only, oldest first. */
  list(filter: PersonFilter, page: PageRequest): Promise<Page<PersonRecord>>;
  /** The record as it was at the instant `at` (epoch ms), or undefined when it did not exist then. */
  asOf(id: string, at: number): Promise<PersonRecord | undefined>;
}
