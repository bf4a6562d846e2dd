// No RFC: the CoAP server behind the guard, as one session sees it.
import type { AccessCwtClaims } from '@countersign/cose';
import type { CoapMessage } from '../message/coap-message.ts';

/** Takes what a client may ask, and gives what is for it. */
export interface Upstream {
  /** `bytes` is the message as it came. Acknowledgements and resets come here too. */
  forward(message: CoapMessage, bytes: Uint8Array): void;
  /** These registrations are to end (RFC 7641 §3.6). */
  release(observed: readonly CoapMessage[]): void;
  /** Nobody asks any more. */
  close(): void;
}

/** Opens one for a session. `claims`: those of the token that counts; `deliver`: takes messages for the client. */
export type OpenUpstream = (claims: () => AccessCwtClaims, deliver: (bytes: Uint8Array) => void) => Upstream;
