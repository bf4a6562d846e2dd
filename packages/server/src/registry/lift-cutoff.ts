import type { Actor } from '../audit/change.ts';
import type { CutoffRecord } from '../storage/cutoffs.ts';
import type { Stores } from '../storage/storage.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { RegistryRefusal } from './refusal.ts';
import { resumeAfterSecurity } from './security-resume.ts';

/**
 * Trusts again what was cut off, in the caller's transaction. An order itself is never taken back: verifiers that were told of
 * it keep to it, and what was issued before it may be in wrong hands. So only an identity comes back, in the way in which
 * one does after a security stop: by two people, with a new credential. `illegal_transition` for all else.
 */
export async function liftCutoff(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  { kind, target }: CutoffRecord,
  { reason, actor }: { readonly reason: string; readonly actor: Actor },
): Promise<void> {
  if (kind !== 'identity') {
    throw new RegistryRefusal('illegal_transition', `a ${kind} that was cut off stays so: make a new one`);
  }
  const identity = await stores.identities.byClientId(target);
  if (identity?.securityStop !== true) {
    throw new RegistryRefusal('illegal_transition', `${target} is not stopped for security any more`);
  }
  await resumeAfterSecurity(deps, stores, tell, identity, { move: 'resume', reason, actor });
}
