import type { Page, PageRequest } from './page.ts';

/** Which processes an agent gives the SVIDs of an identity to. */
export interface WorkloadRecord {
  readonly id: string;
  /** Ids of identities; neither ever changes. */
  readonly agentId: string;
  readonly identityId: string;
  /** All of them must hold for a process. Never empty. */
  readonly selectors: readonly string[];
  readonly hint: string | undefined;
  readonly state: 'active' | 'deleted';
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface WorkloadFilter {
  readonly agentId?: string | undefined;
  readonly identityId?: string | undefined;
}

export interface WorkloadStore {
  /** Version 1, with its history row. */
  insert(record: WorkloadRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row; agent and identity stay. `version_conflict`. */
  replace(record: WorkloadRecord): Promise<void>;
  byId(id: string): Promise<WorkloadRecord | undefined>;
  /** Those of an agent that are not deleted, oldest first; at most `limit`. */
  ofAgent(agentId: string, limit: number): Promise<readonly WorkloadRecord[]>;
  /** Not deleted ones only, oldest first. */
  list(filter: WorkloadFilter, page: PageRequest): Promise<Page<WorkloadRecord>>;
}
