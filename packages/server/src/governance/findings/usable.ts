import type { AccessFacts, IdentityFacts } from '../../registry/facts.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';

/** Credentials that work now, or would if their identity were not suspended. */
export function usableCredentials({ credentials }: IdentityFacts, now: number): readonly CredentialRecord[] {
  return credentials.filter((each) => each.state === 'active' && each.expiresAt > now);
}

export function usableAccess({ access }: IdentityFacts, now: number): readonly AccessFacts[] {
  return access.filter((each) => each.access.expiresAt > now);
}
