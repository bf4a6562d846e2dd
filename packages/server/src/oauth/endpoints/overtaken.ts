// What a machine changes of its own, at the authority's own endpoints (RFC 6749 §5.2 has no error for who was only too late).
import { RegistryRefusal } from '../../registry/refusal.ts';
import { StorageError } from '../../storage/errors.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';

/** Copies of one machine may ask at the same instant: who was later begins again, on what the first one left. */
const MOST_TRIES = 5;

/** Makes a change, again when another one was faster. Rejects `Refusal` with `reason` for what the registry refuses. */
export async function untilNotOvertaken<Result>(
  reason: RefusalReason,
  change: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await change();
    } catch (error) {
      if (error instanceof RegistryRefusal)
        throw new Refusal(reason, undefined, { rule: error.reason, says: error.message });
      const overtaken = error instanceof StorageError && error.fault === 'version_conflict';
      if (!overtaken || tries >= MOST_TRIES) throw error;
    }
  }
}
