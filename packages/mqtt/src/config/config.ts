import type {
  AuthorityConfig,
  ConfiguredFile,
  ListenerConfig,
  LogLevel,
  OptionsInFile,
} from '@countersign/daemon';
import type { VerifierOptions } from '@countersign/resource-server';

/** Numbers that nothing exceeds; each has its row in docs/guide/mqtt.md. */
export interface Limits {
  /** Bytes of one packet, in both directions. */
  readonly packetBytes: number;
  readonly connections: number;
  /** Of one identity. */
  readonly connectionsPerIdentity: number;
  /** Connections whose CONNECT is not there yet: TLS handshakes under way, and what follows them. */
  readonly handshakes: number;
  /** Of one source address; of IPv6, of one /64. */
  readonly handshakesPerAddress: number;
  /** CONNECTs that wait for an answer, of the authority or of the broker. */
  readonly connectsWaiting: number;
  readonly connectsWaitingPerAddress: number;
  /** Seconds until a TLS handshake is done, and then until CONNECT must be there. */
  readonly connectTimeout: number;
  /** Seconds until the broker must have taken a connection. */
  readonly brokerTimeout: number;
  /** Seconds for which a Will may wait once its client is gone. */
  readonly willDelay: number;
}

/** The broker behind the gateway. */
export interface BrokerConfig {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** PEM: whose certificate to trust instead of the public ones. */
  readonly ca: ConfiguredFile | undefined;
  readonly username: string | undefined;
  readonly passwordFile: ConfiguredFile | undefined;
}

/** The file, read. */
export interface MqttConfig extends AuthorityConfig {
  /** The broker's resource identifier. */
  readonly audience: string;
  readonly senderConstraint: Extract<VerifierOptions['senderConstraint'], string>;
  readonly apiKeys: boolean;
  /** Whether a client certificate that the authority knows may stand in the place of a token. */
  readonly certificates: boolean;
  readonly leeway: number | undefined;
  /** Where the options of the verifier stand. */
  readonly inFile: OptionsInFile;
  readonly broker: BrokerConfig;
  readonly listen: { readonly mqtt: ListenerConfig; readonly operation: ListenerConfig | undefined };
  readonly limits: Limits;
  readonly logLevel: LogLevel;
}
