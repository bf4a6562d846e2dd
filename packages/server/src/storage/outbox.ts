/** An audit event written in the transaction of the change it tells of; deleted once the log has it durably. */
export interface OutboxRecord {
  /** The event's own unique id: the log takes it once however often it is delivered. */
  readonly eventId: string;
  /** The event without its `seq`, as JSON. */
  readonly body: string;
  readonly createdAt: number;
}

export interface OutboxStore {
  insert(record: OutboxRecord): Promise<void>;
  /** Oldest first, created at or before `until`, at most `limit`. */
  pending(until: number, limit: number): Promise<readonly OutboxRecord[]>;
  /** Missing ids are ignored. */
  delete(eventIds: readonly string[]): Promise<void>;
}
