import type { OperationId } from '@countersign/admin-api';

/** The admin API seen as a table: for code that is the same for every operation. */
export interface AdminTable {
  call(
    id: OperationId,
    input: TableInput,
  ): Promise<{ readonly body: unknown; readonly etag: string | undefined }>;
  preview(id: OperationId, input: TableInput): Promise<unknown>;
  each(id: OperationId, input: TableInput): AsyncIterable<unknown>;
}

export interface TableInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}
