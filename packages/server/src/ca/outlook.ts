import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import { rootAbove } from './rotation.ts';

/** How much of its life an issuing authority has left when people are told: the rest is theirs to get the next one signed. */
const LEFT = 1 / 3;

/** An issuing authority for which nobody but people find a successor. */
export interface EndingAuthority {
  readonly id: string;
  /** When it ends (epoch ms), or ended. */
  readonly notAfter: number;
}

/**
 * The issuing authority that is near its end, or the last one there was, where no other can take its place by itself: the key of the root above
 * it is elsewhere, or never was here.
 */
export function endingAuthority(
  live: readonly CertificateAuthorityRecord[],
  now: number,
): EndingAuthority | undefined {
  const active = live.find(({ role, state }) => role === 'issuing' && state === 'active');
  if (active?.notAfter === undefined || rootAbove(active, live, now) !== undefined) return undefined;
  const { id, notAfter, createdAt } = active;
  return notAfter - now <= (notAfter - createdAt) * LEFT ? { id, notAfter } : undefined;
}
