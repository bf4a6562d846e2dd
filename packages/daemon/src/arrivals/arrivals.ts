// No RFC: how many clients are at one stage of their arrival, before anything is known of who they are.
import { networkOf } from '@countersign/protocol';

export interface ArrivalLimits {
  /** In all. */
  readonly most: number;
  /** Of one source address; of IPv6, of one /64. */
  readonly mostOfOne: number;
}

/** A client that has arrived. */
export interface Arrival {
  readonly address: string;
  /** Whether many come from this address, as from a proxy that was declared: then it shares its places with nobody. */
  readonly standsForMany?: boolean;
  /** Makes room for another: closes its connection. Absent where closing it would end nothing that it costs. */
  giveUp?(): void;
}

/**
 * Places for those that have arrived. No address has more than its share; and where all are taken, one of the address that has most of
 * them gives way, so that who floods from many addresses does not keep out who comes from one.
 */
export class Arrivals {
  readonly #limits: ArrivalLimits;
  readonly #byNetwork = new Map<string | symbol, Map<symbol, Arrival>>();
  #taken = 0;

  constructor(limits: ArrivalLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /** How to leave, any number of times; undefined: there is no place. */
  take(arrival: Arrival): (() => void) | undefined {
    const place = Symbol();
    const network = arrival.standsForMany === true ? place : networkOf(arrival.address);
    const others = this.#byNetwork.get(network)?.size ?? 0;
    if (others >= this.#limits.mostOfOne) return undefined;
    if (this.#taken >= this.#limits.most && !this.#makeRoom(others + 1)) return undefined;
    const here = this.#byNetwork.get(network) ?? new Map<symbol, Arrival>();
    this.#byNetwork.set(network, here.set(place, arrival));
    this.#taken++;
    return () => this.#leave(network, place);
  }

  #leave(network: string | symbol, place: symbol): void {
    const here = this.#byNetwork.get(network);
    if (here?.delete(place) !== true) return;
    this.#taken--;
    if (here.size === 0) this.#byNetwork.delete(network);
  }

  /** Of an address that has more than `fair`, the one that has been here longest. */
  #makeRoom(fair: number): boolean {
    let most = fair;
    let crowded: readonly [string | symbol, Map<symbol, Arrival>] | undefined;
    for (const entry of this.#byNetwork) {
      if (entry[1].size <= most) continue;
      most = entry[1].size;
      crowded = entry;
    }
    if (crowded === undefined) return false;
    const [network, here] = crowded;
    for (const [place, arrival] of here) {
      if (arrival.giveUp === undefined) continue;
      this.#leave(network, place);
      arrival.giveUp();
      return true;
    }
    return false;
  }
}
