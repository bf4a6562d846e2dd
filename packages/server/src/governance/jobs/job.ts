/** Something the authority does by itself, again and again. A job that is run twice, or by two nodes, does no harm. */
export interface Job {
  readonly name: string;
  /** Milliseconds from the end of one run to the beginning of the next. */
  readonly everyMs: number;
  /** A rejection is reported, and the job runs again at its time. Stops early when `signal` is aborted. */
  run(signal: AbortSignal): Promise<void>;
}
