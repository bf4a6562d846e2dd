import type { TimeWindow } from './time-window.ts';

/** When tokens are issued under an access at all, and a client stands for an API by it; each that is there must hold. */
export interface Conditions {
  /** CIDR blocks; one of them. */
  readonly networks?: readonly string[] | undefined;
  /** One of them. */
  readonly times?: readonly TimeWindow[] | undefined;
  /** The proof that the token has to be bound to. */
  readonly binding?: 'dpop' | 'mtls' | 'any' | undefined;
}
