// What a guard is told: RFC 9202 §3.3 for the keys, RFC 9200 §5.10 for the rest.
import type { CutoffOptions } from '@countersign/resource-server';
import type { DerivationKey, DerivationKeySource } from './access/derivation-keys.ts';
import type { Permissions } from './access/permissions.ts';
import type { TokenFault } from './access/refusal.ts';
import type { TokenStoreLimits } from './access/token-store.ts';
import type { CipherSuiteName } from './dtls/cipher-suite.ts';
import type { DtlsLimits } from './dtls/associations.ts';
import type { HandshakeFault } from './dtls/handshake.ts';
import type { UdpPlace } from './dtls/udp-socket.ts';
import type { SessionNews } from './guard/guarded-session.ts';
import type { CoapHandler } from './guard/handler-upstream.ts';
import type { UdpServer } from './guard/udp-upstream.ts';

export interface CoapGuardOptions {
  /** Whose tokens are taken. */
  readonly issuer: string;
  /** The identifier of this resource server; it has `token.format: cwt`. */
  readonly audience: string;
  /** A client of `@countersign/client` with access to `tokens:derive` of this resource server, or the keys themselves. */
  readonly keys: DerivationKeySource | readonly DerivationKey[];
  /** Which scope opens what. */
  readonly permissions: Permissions;
  /** The CoAP server behind, or a function in its place. */
  readonly upstream: UdpServer | CoapHandler;
  /** Where devices come with DTLS; port 5684 by RFC 7252 §6.2. */
  readonly dtls: UdpPlace;
  /** Where devices bring tokens without DTLS; port 5683 by RFC 7252 §6.1. False: nowhere, they come in the handshake. */
  readonly plain: UdpPlace | false;
  /** What clients are told of where tokens come from. Default: `ISSUER/oauth/token`. */
  readonly tokenEndpoint?: string;
  /** Those that are taken of what a client offers, the best first. Default: all. */
  readonly cipherSuites?: readonly CipherSuiteName[];
  readonly cutoffs?: CutoffOptions;
  /** Seconds that clocks may differ. Default 5, at most 60. */
  readonly leeway?: number;
  /** Epoch seconds. */
  readonly clock?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  readonly limits?: { readonly dtls?: Partial<DtlsLimits>; readonly tokens?: Partial<TokenStoreLimits> };
  /** For logs and metrics. What goes wrong in it ends nothing. */
  readonly onEvent?: (event: GuardEvent) => void;
}

export type GuardEvent =
  | { readonly kind: 'handshake_refused'; readonly fault: HandshakeFault; readonly address: string }
  | { readonly kind: 'token_refused'; readonly fault: TokenFault; readonly address: string }
  | {
      readonly kind: 'session_opened';
      readonly sub: string;
      readonly address: string;
      readonly cipherSuite: string;
    }
  | { readonly kind: 'request_refused'; readonly sub: string; readonly code: number; readonly path: string }
  | {
      readonly kind: 'session_ended';
      readonly sub: string;
      readonly why: Extract<SessionNews, { kind: 'ended' }>['why'];
    }
  | { readonly kind: 'upstream_failed'; readonly error: Error };
