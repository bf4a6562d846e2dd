import type { AccessFacts } from '../../registry/facts.ts';
import type { Observation } from '../../registry/finding.ts';
import type { FindingSeverity } from '../../storage/findings.ts';
import type { ScopeRouteRecord } from '../../storage/scope-routes.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableAccess } from './usable.ts';

const SEVERITIES: readonly FindingSeverity[] = ['low', 'low', 'medium', 'high'];
/** Routes that a reason names; of more it says how many. */
const MOST_NAMED = 3;

/** An access that opens more than when it was given: its API has put a new route behind a scope that it holds. */
export const scopeMeaningChanged: Detector = {
  kind: 'scope_meaning_changed',
  quietMs: 0,
  observe(facts, { now, lateRoutes }) {
    return usableAccess(facts, now).flatMap((each) => {
      const late = lateRoutes.get(each.resourceServer.id) ?? [];
      const opened = late.filter(
        ({ scope, firstSeenAt }) => each.access.scopes.includes(scope) && firstSeenAt > each.access.updatedAt,
      );
      return opened.length === 0 ? [] : [observationOf(each, opened)];
    });
  },
};

function observationOf(
  { access, resourceServer }: AccessFacts,
  opened: readonly ScopeRouteRecord[],
): Observation {
  const most = Math.max(
    0,
    ...resourceServer.scopes
      .filter(({ name }) => opened.some(({ scope }) => scope === name))
      .map(({ sensitivity }) => sensitivity),
  );
  const named = opened
    .slice(0, MOST_NAMED)
    .map(({ scope, method, path }) => `${method} ${path} (${scope})`)
    .join(', ');
  const more = opened.length > MOST_NAMED ? ` and ${opened.length - MOST_NAMED} more` : '';
  return {
    subject: 'access',
    subjectId: access.id,
    severity: SEVERITIES[most] ?? 'high',
    reason: `what it holds at ${resourceServer.identifier} opens more than when it was given: ${named}${more}`,
    fix: command(
      'access',
      'update',
      access.id,
      '--justification',
      'also needed for what its scopes open now',
    ),
  };
}
