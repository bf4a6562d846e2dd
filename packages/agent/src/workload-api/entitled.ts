// Which registrations are the caller's.
import { attest, type Peer } from '../attestation/attest.ts';
import type { Followed } from '../authority/followed.ts';
import {
  AuthorityRefused,
  AuthorityUnreachable,
  type Registration,
  type Served,
} from '../authority/authority.ts';
import { GrpcError } from '../grpc/status.ts';

/** What a caller has at this moment. */
export interface Entitled {
  readonly served: Served;
  /** At least one, oldest first. */
  readonly registrations: readonly Registration[];
}

/**
 * Looks at the caller anew, and at what is registered now. Whoever has nothing is not told whether there is anything.
 * @throws GrpcError
 */
export async function entitledOf(followed: Pick<Followed, 'current'>, peer: Peer): Promise<Entitled> {
  const before = followed.current();
  if (before === undefined)
    throw new GrpcError('unavailable', 'the agent has not heard of its authority yet');
  const attested = await attest(peer);
  if (attested === undefined) throw noIdentity();
  // What changed while the process was looked at counts.
  const served = followed.current() ?? before;
  const needsHash = served.registrations.some((each) => each.selectors.some((text) => text.startsWith(HASH)));
  const selectors = needsHash ? await attested.withHash() : attested.selectors;
  const registrations = served.registrations.filter((each) =>
    each.selectors.every((text) => selectors.has(text)),
  );
  if (registrations.length === 0) throw noIdentity();
  return { served, registrations };
}

const HASH = 'unix:sha256:';

/** SPIFFE Workload API §4.4: the code of who has no identity. */
export function noIdentity(): GrpcError {
  return new GrpcError('permissionDenied', 'no identity issued');
}

/** What the caller is told where the authority has not made what it asks for. A bug stays one. */
export function statusOf(error: unknown): unknown {
  if (error instanceof AuthorityRefused) return noIdentity();
  if (error instanceof AuthorityUnreachable)
    return new GrpcError('unavailable', 'the authority does not answer');
  return error;
}
