import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** A proposal took something away that is asked for again while it can still be given back. */
export const reducedButNeeded: Detector = {
  kind: 'reduced_but_needed',
  quietMs: 0,
  alsoEnding: true,
  observe(_facts, { now, proposals = [] }) {
    return proposals.flatMap(
      ({ id, kind, state, subject, subjectId, resource, change, refusals, applied }) => {
        if (state !== 'applied' || refusals === 0 || applied === undefined || applied.until <= now) return [];
        const what =
          kind === 'retire'
            ? 'it was retired'
            : kind === 'upgrade'
              ? 'its credential was suspended'
              : `${change.take?.join(' ') ?? 'its access'} at ${resource ?? 'its API'} was taken`;
        return [
          {
            subject,
            subjectId,
            severity: 'high' as const,
            reason: `${what} on ${new Date(applied.at).toISOString().slice(0, 10)}, and is asked for since`,
            fix: command('proposals', 'rollback', id),
          },
        ];
      },
    );
  },
};
