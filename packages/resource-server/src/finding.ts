// No RFC: what was found wrong, on its way to a refusal.
import type { RefusalReason } from './refusal.ts';

export interface Finding {
  readonly reason: RefusalReason;
  /** What exactly, for logs. */
  readonly detail?: string | undefined;
}
