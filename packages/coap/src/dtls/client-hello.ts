// ClientHello: RFC 5246 §7.4.1.2 with the cookie of RFC 6347 §4.2.1, and the extensions that matter here.

export interface ClientHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cookie: Uint8Array;
  readonly cipherSuites: readonly number[];
  /** RFC 7627 §5.1. */
  readonly extendedMasterSecret: boolean;
  /** RFC 5746 §3.4: it knows of the attack, by the extension or by its signal among the cipher suites. */
  readonly secureRenegotiation: boolean;
}

const EXTENDED_MASTER_SECRET = 23;
const RENEGOTIATION_INFO = 0xff01;
const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;
const RANDOM_BYTES = 32;

/** Undefined for what is none. Never throws. */
export function readClientHello(body: Uint8Array): ClientHello | undefined {
  const reader = new Reader(body);
  const version = reader.number(2);
  const random = reader.bytes(RANDOM_BYTES);
  const sessionId = reader.vector(1);
  const cookie = reader.vector(1);
  const suites = numbers(reader.vector(2));
  const compressions = reader.vector(1);
  const extensions = reader.isAtEnd ? new Map<number, Uint8Array>() : readExtensions(reader.vector(2));
  if (version === undefined || random === undefined || sessionId === undefined || cookie === undefined)
    return undefined;
  if (suites === undefined || compressions === undefined || extensions === undefined) return undefined;
  // RFC 5246 §7.4.1.2: at least one suite, and no compression among the compressions.
  if (!reader.isAtEnd || sessionId.length > 32 || suites.length === 0 || !compressions.includes(0))
    return undefined;
  const renegotiation = extensions.get(RENEGOTIATION_INFO);
  // RFC 5746 §3.6: in a first handshake it is empty.
  if (renegotiation !== undefined && (renegotiation.length !== 1 || renegotiation[0] !== 0)) return undefined;
  return {
    version,
    random,
    sessionId,
    cookie,
    cipherSuites: suites,
    extendedMasterSecret: extensions.has(EXTENDED_MASTER_SECRET),
    secureRenegotiation: renegotiation !== undefined || suites.includes(EMPTY_RENEGOTIATION_INFO_SCSV),
  };
}

/** The extensions of a ServerHello that answers this one, with their length; nothing where there are none. */
export function answeredExtensions({ extendedMasterSecret, secureRenegotiation }: ClientHello): Uint8Array {
  const parts: number[] = [];
  if (extendedMasterSecret) parts.push(0, EXTENDED_MASTER_SECRET, 0, 0);
  if (secureRenegotiation) parts.push(RENEGOTIATION_INFO >> 8, RENEGOTIATION_INFO & 0xff, 0, 1, 0);
  return Uint8Array.from(parts.length === 0 ? [] : [0, parts.length, ...parts]);
}

/** RFC 5246 §7.4.1.4: not two of one type. */
function readExtensions(bytes: Uint8Array | undefined): Map<number, Uint8Array> | undefined {
  if (bytes === undefined) return undefined;
  const reader = new Reader(bytes);
  const extensions = new Map<number, Uint8Array>();
  while (!reader.isAtEnd) {
    const type = reader.number(2);
    const data = reader.vector(2);
    if (type === undefined || data === undefined || extensions.has(type)) return undefined;
    extensions.set(type, data);
  }
  return extensions;
}

function numbers(bytes: Uint8Array | undefined): readonly number[] | undefined {
  if (bytes === undefined || bytes.length % 2 !== 0) return undefined;
  const list: number[] = [];
  for (let i = 0; i < bytes.length; i += 2) list.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  return list;
}

/** Reads on until something is missing, and then gives nothing any more. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  bytes(length: number): Uint8Array | undefined {
    if (length > this.#bytes.length - this.#at) {
      this.#at = Number.POSITIVE_INFINITY;
      return undefined;
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(width: number): number | undefined {
    return this.bytes(width)?.reduce((value, byte) => value * 256 + byte, 0);
  }

  /** With its length before it, in `width` bytes. */
  vector(width: number): Uint8Array | undefined {
    const length = this.number(width);
    return length === undefined ? undefined : this.bytes(length);
  }
}
