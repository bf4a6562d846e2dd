import { createJobs } from '../src/governance/compose.ts';
import type { Job } from '../src/governance/jobs/job.ts';
import type { Authority } from './authority.ts';
import { DAY } from './estate-world.ts';

/** All that the authority does by itself. Nothing of it sends anything. */
export function jobsOf(authority: Authority): readonly Job[] {
  const { deps } = authority;
  return createJobs({
    ...deps,
    // Nobody else is there to be let through.
    pacer: { breathe: () => Promise.resolve() },
    webhooks: { ...deps, digest: () => '' },
    rotateIfDue: () => Promise.resolve(),
    certificateRetention: 90 * DAY,
    reportOwnUse: () => Promise.resolve(),
    pace: { take: () => new Map() },
    places: { take: () => new Map() },
    mail: undefined,
    digestDay: 1,
    credentialExpiring: [30, 7, 1],
    inactivity: 'suspend',
    suspendedForMs: 30 * DAY,
    missedReductions: 'report',
  });
}
