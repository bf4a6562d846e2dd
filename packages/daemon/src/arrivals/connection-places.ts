// No RFC: who may be connected to a port that HTTP is spoken at, before anything is known of who they are.
import type { Socket } from 'node:net';
import { plainAddress } from '@countersign/protocol';
import { Arrivals } from './arrivals.ts';
import { connectionName } from './connection-name.ts';

export interface ConnectionLimits {
  readonly connections: number;
  /** Of one source address; of IPv6, of one /64. */
  readonly connectionsPerAddress: number;
  /** Connections that have not sent the whole head of a request yet: TLS handshakes under way, and what follows them. */
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
}

/** Why a connection was closed. */
export type TurnedAway = 'too_many_connections' | 'too_many_handshakes';

export interface ConnectionPlacesOptions {
  readonly limits: ConnectionLimits;
  /** Whether many come from this address, as from a proxy that was declared; no share is meant for it. */
  readonly standsForMany: (address: string) => boolean;
  /** A connection that was closed, for there was no place for it, or its place was needed. */
  readonly onTurnedAway: (reason: TurnedAway, address: string) => void;
}

/** A quarter of all places for one address, and half of them for who has not sent a request yet. */
export function usualShares(connections: number): ConnectionLimits {
  const part = (whole: number, share: number): number => Math.max(1, Math.floor(whole / share));
  const handshakes = part(connections, 2);
  return {
    connections,
    connectionsPerAddress: part(connections, 4),
    handshakes,
    handshakesPerAddress: part(handshakes, 4),
  };
}

/** The places of one port. Who has sent a request gives way to nobody; who has not does, where an address has most of those places. */
export class ConnectionPlaces {
  readonly #options: ConnectionPlacesOptions;
  readonly #connections: Arrivals;
  readonly #handshakes: Arrivals;
  /** How each that has sent no request gives back its place among those. */
  readonly #arriving = new Map<string, () => void>();

  constructor(options: ConnectionPlacesOptions) {
    const { connections, connectionsPerAddress, handshakes, handshakesPerAddress } = options.limits;
    this.#options = options;
    this.#connections = new Arrivals({ most: connections, mostOfOne: connectionsPerAddress });
    this.#handshakes = new Arrivals({ most: handshakes, mostOfOne: handshakesPerAddress });
  }

  /** False: it was closed. @param socket below TLS */
  take(socket: Socket): boolean {
    const { standsForMany, onTurnedAway } = this.#options;
    const address = plainAddress(socket.remoteAddress);
    const from = { address, standsForMany: standsForMany(address) };
    const turnAway = (reason: TurnedAway): void => {
      onTurnedAway(reason, address);
      socket.destroy();
    };
    const leave = this.#connections.take(from);
    if (leave === undefined) {
      turnAway('too_many_connections');
      return false;
    }
    const giveUp = (): void => {
      // The event of its end comes later, and whoever takes its place is here now.
      leave();
      turnAway('too_many_handshakes');
    };
    const arrived = this.#handshakes.take({ ...from, giveUp });
    if (arrived === undefined) {
      giveUp();
      return false;
    }
    const name = connectionName(socket);
    this.#arriving.set(name, arrived);
    socket.once('close', () => {
      leave();
      arrived();
      if (this.#arriving.get(name) === arrived) this.#arriving.delete(name);
    });
    return true;
  }

  /** The whole head of a request is there. @param socket below TLS or above it */
  headArrived(socket: Parameters<typeof connectionName>[0]): void {
    const name = connectionName(socket);
    this.#arriving.get(name)?.();
    this.#arriving.delete(name);
  }
}
