import { ProblemError } from './problem.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** What `usage` is about when nobody says. */
export const DEFAULT_SPAN = '30d';
/** Nothing is kept about what was longer ago. */
const LONGEST_MS = 400 * 86_400_000;

/** Milliseconds of a span of a query such as `90d`, whose form its contract has checked; at most 400 days. */
export function spanOf(text: string, parameter: string): number {
  const ms = Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? Number.NaN);
  if (ms <= LONGEST_MS) return ms;
  throw queryProblem(parameter, 'must be at most 400d');
}

export function queryProblem(parameter: string, detail: string): ProblemError {
  return new ProblemError('malformed_request', { detail, errors: [{ pointer: `?${parameter}`, detail }] });
}
