import { contains, type Network, parseAddress, parseNetwork } from './network.ts';
import type { IssuanceFacts, Rule } from './rule.ts';
import { isWithin } from './time-window.ts';

/** Refuses what the access itself does not allow now, from there, or unbound. */
export const accessConditions: Rule = {
  id: 'access-conditions',
  evaluate({ conditions, source, boundTo, now }) {
    if (conditions === undefined) return { kind: 'allow' };
    const { networks, times, binding } = conditions;
    if (networks !== undefined && !isFrom(networks, source)) {
      return { kind: 'refuse', reason: 'network_not_allowed' };
    }
    if (times !== undefined && !times.some((window) => isWithin(window, now))) {
      return { kind: 'refuse', reason: 'outside_time_window' };
    }
    if (binding !== undefined && !isBound(binding, boundTo)) {
      return { kind: 'refuse', reason: 'binding_required' };
    }
    return { kind: 'allow' };
  },
};

function isBound(binding: 'dpop' | 'mtls' | 'any', boundTo: IssuanceFacts['boundTo']): boolean {
  return binding === 'any' ? boundTo !== undefined : boundTo === binding;
}

/** By the list itself, which lives as long as the facts it came with: each is read once. */
const READ = new WeakMap<readonly string[], readonly Network[]>();

/** A caller whose address is not known is from nowhere. */
function isFrom(blocks: readonly string[], source: string | undefined): boolean {
  const address = source === undefined ? undefined : parseAddress(source);
  if (address === undefined) return false;
  let networks = READ.get(blocks);
  if (networks === undefined) {
    networks = blocks.flatMap((block) => parseNetwork(block) ?? []);
    READ.set(blocks, networks);
  }
  return networks.some((network) => contains(network, address));
}
