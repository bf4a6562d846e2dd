import type { Observation } from '../../registry/finding.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableAccess } from './usable.ts';

/** Reaches an API of another environment, across the border of production. Where an API runs is known by who stands for it. */
export const crossEnvironmentUse: Detector = {
  kind: 'cross_environment_use',
  quietMs: 0,
  observe(facts, { now, homes }) {
    const { environment, builtIn } = facts.identity;
    if (builtIn) return [];
    return usableAccess(facts, now).flatMap(({ access, resourceServer }): readonly Observation[] => {
      const home = homes?.get(resourceServer.id);
      if (home === undefined || home.environment === environment) return [];
      if (environment !== 'prod' && home.environment !== 'prod') return [];
      return [
        {
          subject: 'access',
          subjectId: access.id,
          // What is less looked after reaches what matters; the other way round it carries production data out.
          severity: home.environment === 'prod' ? 'high' : 'medium',
          reason: `runs in ${environment} and has access to ${resourceServer.identifier}, which runs in ${home.environment} as ${home.clientId}`,
          fix: command('access', 'revoke', access.id),
        },
      ];
    });
  },
};
