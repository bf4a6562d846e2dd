import { rfc3339 } from '../views.ts';
import type { UseAnswer } from './answer.ts';
import { daysIn } from './day-map.ts';
import type { AccessUse } from './read-use.ts';

export interface AccessUsageView {
  state: UseAnswer;
  since: string;
  coverage: number;
  last_used: string | null;
  last_denied: string | null;
  scopes: {
    scope: string;
    state: UseAnswer;
    last_used: string | null;
    last_denied: string | null;
    ok: number;
    denied: number;
    days: string[];
  }[];
}

/** The use of an access as people and programs see it. */
export function accessUsageView(use: AccessUse): AccessUsageView {
  return {
    state: use.answer,
    since: rfc3339(use.window.from),
    // Rounded down: what was not seen is not made up.
    coverage: Math.floor(use.coverage * 10_000) / 10_000,
    last_used: instantOf(use.lastOkAt),
    last_denied: instantOf(use.lastDeniedAt),
    scopes: use.scopes.map(({ scope, answer, lastOkAt, lastDeniedAt, ok, denied, days }) => ({
      scope,
      state: answer,
      last_used: instantOf(lastOkAt),
      last_denied: instantOf(lastDeniedAt),
      ok,
      denied,
      days: daysIn(days).map((day) => rfc3339(day * 86_400_000).slice(0, 10)),
    })),
  };
}

function instantOf(at: number | undefined): string | null {
  return at === undefined ? null : rfc3339(at);
}
