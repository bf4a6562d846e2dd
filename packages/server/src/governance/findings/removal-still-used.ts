import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** What a review took away, and an API lets through all the same: it does not follow the feed, or does not look at scopes. */
export const removalStillUsed: Detector = {
  kind: 'removal_still_used',
  quietMs: 0,
  alsoEnding: true,
  observe({ identity }, { failedRemovals }) {
    const items = failedRemovals?.get(identity.id) ?? [];
    const latest = new Map(items.map((item) => [item.accessId, item]));
    return [...latest.values()].map(({ accessId, resourceServerId, verdict, cutoffId }) => {
      const after = verdict?.scopesAfter ?? [];
      const removed = (verdict?.scopesBefore ?? []).filter((scope) => !after.includes(scope));
      return {
        subject: 'access' as const,
        subjectId: accessId,
        severity: 'high' as const,
        reason: `a review took away ${removed.join(' ')}, and its API lets calls with it through all the same`,
        fix:
          cutoffId === undefined
            ? command('resource-servers', 'get', resourceServerId)
            : command('cutoffs', 'show', cutoffId),
      };
    });
  },
};
