import type {
  AuthorityConfig,
  ConfiguredFile,
  ConnectionLimits,
  ListenerConfig,
  LogLevel,
  OptionsInFile,
} from '@countersign/daemon';
import type { VerifierOptions } from '@countersign/resource-server';
import type { Route } from '../rules/route.ts';

/** What a verifier is made of; the issuer is the same for all. */
export type ResourceConfig = Pick<
  VerifierOptions,
  'publicUrl' | 'senderConstraint' | 'apiKeys' | 'algorithms' | 'leeway'
> & {
  readonly name: string;
  readonly audience: string;
  readonly nonces: boolean;
  /** Where its options stand. */
  readonly inFile: OptionsInFile;
};

/** A server behind the reverse proxy. */
export interface UpstreamConfig {
  readonly name: string;
  /** http or https, without path. */
  readonly url: URL;
  /** PEM: whose certificates to trust instead of the public ones. */
  readonly ca: ConfiguredFile | undefined;
}

/** Numbers that nothing exceeds; each has its row in docs/guide/gateway.md. */
export interface Limits extends ConnectionLimits {
  /** Of one request or answer, names and values. */
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly bodyBytes: number;
  /** Requests under way at the same time, over all listeners. */
  readonly inFlight: number;
  /** Seconds until the headers of a request must be there. */
  readonly headersTimeout: number;
  /** Seconds until the whole request must be there. */
  readonly requestTimeout: number;
  /** Seconds until an upstream must have taken the connection. */
  readonly connectTimeout: number;
  /** Seconds without a byte from or to an upstream. */
  readonly upstreamTimeout: number;
  /** Seconds that an idle connection is kept. */
  readonly keepAliveTimeout: number;
  /** Seconds for requests in flight at the end. */
  readonly drainTimeout: number;
}

/** The file, read. */
export interface GatewayConfig extends AuthorityConfig {
  readonly listen: {
    readonly auth: ListenerConfig | undefined;
    readonly grpc: ListenerConfig | undefined;
    readonly proxy: ListenerConfig | undefined;
    readonly operation: ListenerConfig | undefined;
  };
  /** Addresses and blocks of the front proxies that may ask. */
  readonly frontProxies: readonly string[];
  /** How the front proxies name the certificate of their caller. */
  readonly certificateHeader: NonNullable<VerifierOptions['certificateHeader']>['dialect'] | undefined;
  /** Claim → name of the header that it goes on in. */
  readonly identityHeaders: ReadonlyMap<string, string>;
  /** Whether what the caller proved itself with goes on to the upstream. */
  readonly passToken: boolean;
  readonly resources: ReadonlyMap<string, ResourceConfig>;
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>;
  readonly routes: readonly Route[];
  readonly limits: Limits;
  readonly logLevel: LogLevel;
}
