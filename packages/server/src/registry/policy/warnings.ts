import type { ChangeEvent } from '../../audit/change.ts';
import { type PolicyWarning, WARNED } from './require-policies.ts';

/** Most that one answer shows; the log has all. */
const MOST_SHOWN = 50;

/** What events say of policies that warn, as the member `warnings` of an answer; nothing when they say nothing. */
export function warningsOf(events: readonly ChangeEvent[]): { warnings?: PolicyWarning[] } {
  const warned = events.filter(({ type }) => type === WARNED);
  if (warned.length === 0) return {};
  const warnings = warned.slice(0, MOST_SHOWN).map(({ after }) => {
    const { policy, rule, subject, why } = after as PolicyWarning;
    return { policy, rule, subject, why };
  });
  return { warnings };
}
