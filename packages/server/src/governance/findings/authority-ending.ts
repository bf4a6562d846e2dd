import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** The longest that certificates of devices last by default: what is issued from then on ends sooner than it should. */
const URGENT_MS = 30 * 86_400_000;

/**
 * The issuing authority of certificates ends, and none takes its place by itself, for the key of its root is elsewhere. It is a finding of the
 * authority's own first identity: an authority belongs to no machine.
 */
export const authorityEnding: Detector = {
  kind: 'authority_ending',
  quietMs: 0,
  observe({ identity }, { now, endingAuthority }) {
    if (!identity.builtIn || endingAuthority === undefined) return [];
    const { id, notAfter } = endingAuthority;
    const day = new Date(notAfter).toISOString().slice(0, 10);
    return [
      {
        subject: 'certificate_authority' as const,
        subjectId: id,
        severity: notAfter - now <= URGENT_MS ? ('high' as const) : ('medium' as const),
        reason: `the authority that issues certificates ends on ${day}, and the key of its root is not here: have the next one signed`,
        fix: command('certificate-authorities', 'request', '--request-file', 'issuing.csr'),
      },
    ];
  },
};
