import type { Span } from './usage-coverage.ts';

/** A report that came before one that precedes it. */
export interface WaitingReport extends Span {
  readonly seq: number;
  /** More of the same span follows. */
  readonly more: boolean;
  /** Not all of its span is known. */
  readonly blind: boolean;
  readonly final: boolean;
}

/** One start of one copy of a resource server, and how far it has told. */
export interface ReporterRecord {
  readonly resourceServerId: string;
  readonly instance: string;
  readonly boot: string;
  /** Who reports for it. */
  readonly identityId: string;
  /** Every report up to this one was counted. */
  readonly upto: number;
  /** Counted too, ascending: some before them are missing. */
  readonly beyond: readonly WaitingReport[];
  /** Epoch ms: the end of what is told without a gap. */
  readonly toldUntil: number;
  /** It said goodbye. */
  readonly ended: boolean;
  readonly receivedAt: number;
  readonly createdAt: number;
}

type Key = Pick<ReporterRecord, 'resourceServerId' | 'instance' | 'boot'>;

/** Who reports for resource servers. */
export interface ReporterStore {
  /** Reports of one resource server are taken one after the other: held until the transaction ends. */
  lock(resourceServerId: string): Promise<void>;
  find(key: Key): Promise<ReporterRecord | undefined>;
  /** In the place of what there was. Whoever adds to what it read holds `lock`. */
  put(record: ReporterRecord): Promise<void>;
  /** How many starts are known. */
  count(resourceServerId: string): Promise<number>;
  /** Of these resource servers, those that did not say goodbye and told nothing of the time since `before`; at most 10,000. */
  silent(resourceServerIds: readonly string[], before: number): Promise<readonly ReporterRecord[]>;
  /** Of any resource server, those of which nothing came since `before`; at most 1,000. */
  forgotten(before: number): Promise<readonly ReporterRecord[]>;
  delete(key: Key): Promise<void>;
}
