export type MailState = 'waiting' | 'sent' | 'given_up';

/** Something that one person or team is to be told by mail. What waits for the same address goes out in one mail. */
export interface MailRecord {
  readonly id: string;
  /** `digest`: a mail of its own. */
  readonly kind: 'notice' | 'digest';
  /** `owner:<id of an identity>`, `person:<handle>` or `team:<name>`: whose address it is turns out when it is sent. */
  readonly recipient: string;
  /** Of what is never to be told twice, however many ask for it. */
  readonly dedupe: string | undefined;
  /** One line. */
  readonly subject: string;
  readonly body: string;
  readonly state: MailState;
  readonly attempts: number;
  /** When it is tried next; of what is being tried, when somebody else may. */
  readonly nextAt: number;
  readonly lastError: string | undefined;
  readonly createdAt: number;
  readonly finishedAt: number | undefined;
}

export interface MailOutcome {
  readonly state: MailState;
  readonly nextAt: number;
  readonly lastError: string | undefined;
  readonly finishedAt: number | undefined;
}

export interface MailStore {
  /** False, and nothing is written, when there is one with the same `dedupe` in whatever state. */
  insert(record: MailRecord): Promise<boolean>;
  byId(id: string): Promise<MailRecord | undefined>;
  /** Those that wait and are due at `until`, the longest overdue first. */
  due(until: number, limit: number): Promise<readonly MailRecord[]>;
  /** Takes the attempt after `attempts` of them: true for exactly one of those who ask. It is due again at `nextAt`. */
  claim(id: string, attempts: number, nextAt: number): Promise<boolean>;
  /** What became of attempt number `attempts`; nothing when it is no longer the last one, or finished. */
  settle(id: string, attempts: number, outcome: MailOutcome): Promise<void>;
  /** Gives up, at most `limit`, what was tried and waits still though it was made before `before`; how many. The reason stays its own where it has one. */
  giveUp(before: number, at: number, reason: string, limit: number): Promise<number>;
  /** Deletes what was finished before, at most `limit`; how many. */
  forget(before: number, limit: number): Promise<number>;
}
