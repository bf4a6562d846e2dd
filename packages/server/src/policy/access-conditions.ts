import { contains, type Network, parseAddress, parseNetwork } from './network.ts';
import type { IssuanceFacts, PolicyReason, Rule } from './rule.ts';
import { isWithin } from './time-window.ts';

/** Refuses what the access itself does not allow now, from there, or unbound. */
export const accessConditions: Rule = {
  id: 'access-conditions',
  evaluate(facts) {
    const reason = unmetCondition(facts.conditions, facts);
    return reason === undefined ? { kind: 'allow' } : { kind: 'refuse', reason };
  },
};

/** Which condition of an access does not hold for a call that comes now, from there, with that proof; undefined: all do. */
export function unmetCondition(
  conditions: IssuanceFacts['conditions'],
  { source, boundTo, now }: Pick<IssuanceFacts, 'source' | 'boundTo' | 'now'>,
): UnmetCondition | undefined {
  if (conditions === undefined) return undefined;
  const { networks, times, binding } = conditions;
  if (networks !== undefined && !isFrom(networks, source)) return 'network_not_allowed';
  if (times !== undefined && !times.some((window) => isWithin(window, now))) return 'outside_time_window';
  if (binding !== undefined && !isBound(binding, boundTo)) return 'binding_required';
  return undefined;
}

export type UnmetCondition = Extract<
  PolicyReason,
  'network_not_allowed' | 'outside_time_window' | 'binding_required'
>;

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
