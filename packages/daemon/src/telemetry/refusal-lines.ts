// Lines about refusals: strangers decide how many there are, so a minute has room for so many.
import type { Logger } from './logger.ts';

/** Lines about refusals in a minute; those beyond it are counted and told of in one. */
export const REFUSAL_LINES_A_MINUTE = 60;
const MINUTE_MS = 60_000;

export interface RefusalLines {
  write(fields: object, message: string): void;
}

/** @param now ms */
export function createRefusalLines(logger: Pick<Logger, 'info'>, now: () => number): RefusalLines {
  let minute = now();
  let lines = 0;
  return {
    write(fields, message) {
      if (now() - minute >= MINUTE_MS) {
        if (lines > REFUSAL_LINES_A_MINUTE) {
          logger.info({ unlogged: lines - REFUSAL_LINES_A_MINUTE }, 'further refusals of the last minute');
        }
        minute = now();
        lines = 0;
      }
      if (++lines <= REFUSAL_LINES_A_MINUTE) logger.info(fields, message);
    },
  };
}
