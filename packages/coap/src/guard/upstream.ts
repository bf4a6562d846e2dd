// No RFC: the CoAP server behind the guard, as one session sees it.
import type { AccessCwtClaims } from '@countersign/cose';
import type { CoapMessage } from '../message/coap-message.ts';

/** Takes what a client may ask, and gives what is for it. */
export interface Upstream {
  /** `bytes` is the message as it came. Acknowledgements and resets come here too. */
  forward(message: CoapMessage, bytes: Uint8Array): void;
  /** Nobody asks any more. `observed`: registrations that are to end (RFC 7641 §3.6). */
  close(observed: readonly CoapMessage[]): void;
}

/** Opens one for a session. `claims`: whose it is; `deliver`: takes messages for the client. */
export type OpenUpstream = (claims: AccessCwtClaims, deliver: (bytes: Uint8Array) => void) => Upstream;
