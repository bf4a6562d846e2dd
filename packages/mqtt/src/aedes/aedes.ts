// What is used of aedes, by its shape: the package is handed over by whoever has installed it. No RFC; aedes 1.2, its types.
import type { Duplex } from 'node:stream';

/** A connection of aedes. */
export interface AedesClient {
  /** Aedes makes one up where the client gave none. */
  id: string;
  readonly closed: boolean;
  /** Until CONNACK has been sent. */
  readonly connecting: boolean;
  readonly conn: Duplex;
  /** The request that a WebSocket began with. */
  readonly req?: { readonly socket: Duplex } | undefined;
  once(event: 'connected', listener: () => void): unknown;
  close(callback?: () => void): void;
}

/** MQTT 3.1.1 §3.1. */
export interface AedesConnect {
  readonly clientId: string;
  readonly clean?: boolean | undefined;
  readonly will?: AedesMessage | undefined;
}

export interface AedesMessage {
  readonly topic: string;
}

/** The hooks that a broker is made with. */
export interface AedesHooks {
  preConnect(
    client: AedesClient,
    packet: AedesConnect,
    callback: (error: Error | null, success: boolean) => void,
  ): void;
  authenticate(
    client: AedesClient,
    username: string | undefined,
    password: Buffer | undefined,
    callback: (error: AuthenticationError | null, success: boolean | null) => void,
  ): void;
  authorizePublish(
    client: AedesClient | null,
    packet: AedesMessage,
    callback: (error?: Error | null) => void,
  ): void;
  authorizeSubscribe<Subscription extends AedesMessage>(
    client: AedesClient,
    subscription: Subscription,
    callback: (error: Error | null, subscription?: Subscription | null) => void,
  ): void;
  authorizeForward<Packet extends AedesMessage>(client: AedesClient, packet: Packet): Packet | null;
}

/** Aedes answers CONNECT with `returnCode`: MQTT 3.1.1 §3.2.2.3. */
export type AuthenticationError = Error & { returnCode: 2 | 3 | 4 | 5 };
