import { holds, parseNetwork } from '../policy/network.ts';
import type { AccessConditions, AccessRecord } from '../storage/access.ts';

type Held = Pick<AccessRecord, 'scopes' | 'tokenLifetime' | 'conditions' | 'expiresAt'>;

/**
 * Whether `after` opens anything that `before` does not: a scope, a later end, a longer token, a weaker condition. What
 * cannot be compared counts as more.
 */
export function isWider(before: Held, after: Held): boolean {
  return (
    after.scopes.some((scope) => !before.scopes.includes(scope)) ||
    after.expiresAt > before.expiresAt ||
    (after.tokenLifetime ?? Infinity) > (before.tokenLifetime ?? Infinity) ||
    isWeaker(before.conditions ?? {}, after.conditions ?? {})
  );
}

function isWeaker(before: AccessConditions, after: AccessConditions): boolean {
  return (
    reachesFurther(before.networks, after.networks) ||
    hasOtherTimes(before.times, after.times) ||
    bindsLess(before.binding, after.binding)
  );
}

function reachesFurther(before: AccessConditions['networks'], after: AccessConditions['networks']): boolean {
  if (before === undefined) return false;
  if (after === undefined) return true;
  const known = before.map(parseNetwork);
  return after.some((block) => {
    const inner = parseNetwork(block);
    return inner === undefined || !known.some((outer) => outer !== undefined && holds(outer, inner));
  });
}

/** A window that was not there before may reach beyond the others: only leaving some away is surely less. */
function hasOtherTimes(before: AccessConditions['times'], after: AccessConditions['times']): boolean {
  if (before === undefined) return false;
  if (after === undefined) return true;
  const known = new Set(before.map((window) => JSON.stringify(window)));
  return after.some((window) => !known.has(JSON.stringify(window)));
}

function bindsLess(before: AccessConditions['binding'], after: AccessConditions['binding']): boolean {
  if (before === undefined || before === after) return false;
  return before !== 'any' || after === undefined;
}
