import type { Observation } from '../../registry/finding.ts';
import { addSuccessor } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableCredentials } from './usable.ts';

/** Networks from which one workload may well call: zones of one region, two regions, and the one who moves it. */
export const MANY_NETWORKS = 8;

/**
 * One credential in several hands: kinds of clients that come from different networks, or more networks than one workload has.
 * Copies of one workload are of one kind, however many they are.
 */
export const reusedCredential: Detector = {
  kind: 'reused_credential',
  // Seen is what came to this process lately: not to see is not to know.
  quietMs: 7 * 86_400_000,
  observe(facts, { now, places }) {
    return usableCredentials(facts, now).flatMap((credential): readonly Observation[] => {
      const seen = places?.get(credential.id);
      const why = seen === undefined ? undefined : sharedBy(seen);
      if (why === undefined) return [];
      const { environment, clientId } = facts.identity;
      return [
        {
          subject: 'credential',
          subjectId: credential.id,
          severity: environment === 'prod' ? 'high' : 'medium',
          reason: `its ${credential.material.type} ${why}: one workload has one identity of its own`,
          fix: addSuccessor(clientId, credential),
        },
      ];
    });
  },
};

/** `agents`: kind of client → networks that it came from. */
function sharedBy(agents: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const kinds = [...agents].toSorted(([one], [other]) => (one < other ? -1 : 1));
  for (const [place, [kind, networks]] of kinds.entries()) {
    for (const [other, elsewhere] of kinds.slice(place + 1)) {
      if (
        [...networks].every((network) => !elsewhere.has(network)) &&
        networks.size > 0 &&
        elsewhere.size > 0
      )
        return `is used by ${kind} and by ${other}, from different networks`;
    }
  }
  const all = new Set(kinds.flatMap(([, networks]) => [...networks]));
  return all.size > MANY_NETWORKS ? `is used from more than ${MANY_NETWORKS} networks` : undefined;
}
