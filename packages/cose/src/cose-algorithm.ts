// Algorithms of COSE: RFC 9053 §2 (signatures), §3 (MACs), §4 (content encryption).

export interface SignatureAlgorithm {
  readonly id: number;
  readonly name: 'ES256' | 'ES384' | 'ES512' | 'EdDSA';
  readonly hash: 'sha256' | 'sha384' | 'sha512' | undefined;
  /** Bytes of a signature; undefined where the key says. */
  readonly length: number | undefined;
}

export interface MacAlgorithm {
  readonly id: number;
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** Bytes of the tag: what is left is cut off (RFC 9053 §3.1). */
  readonly length: number;
}

export interface ContentAlgorithm {
  readonly id: number;
  readonly cipher: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' | 'aes-128-ccm' | 'aes-256-ccm';
  readonly keyBytes: number;
  readonly nonceBytes: number;
  readonly tagBytes: number;
}

export const ES256 = -7;
/** AES-CCM-16-64-128. */
export const AES_CCM_16_64_128 = 10;

export const SIGNATURE_ALGORITHMS: ReadonlyMap<number, SignatureAlgorithm> = table([
  { id: ES256, name: 'ES256', hash: 'sha256', length: 64 },
  { id: -35, name: 'ES384', hash: 'sha384', length: 96 },
  { id: -36, name: 'ES512', hash: 'sha512', length: 132 },
  { id: -8, name: 'EdDSA', hash: undefined, length: undefined },
]);

export const MAC_ALGORITHMS: ReadonlyMap<number, MacAlgorithm> = table([
  { id: 4, hash: 'sha256', length: 8 },
  { id: 5, hash: 'sha256', length: 32 },
  { id: 6, hash: 'sha384', length: 48 },
  { id: 7, hash: 'sha512', length: 64 },
]);

export const CONTENT_ALGORITHMS: ReadonlyMap<number, ContentAlgorithm> = table([
  { id: 1, cipher: 'aes-128-gcm', keyBytes: 16, nonceBytes: 12, tagBytes: 16 },
  { id: 2, cipher: 'aes-192-gcm', keyBytes: 24, nonceBytes: 12, tagBytes: 16 },
  { id: 3, cipher: 'aes-256-gcm', keyBytes: 32, nonceBytes: 12, tagBytes: 16 },
  { id: AES_CCM_16_64_128, cipher: 'aes-128-ccm', keyBytes: 16, nonceBytes: 13, tagBytes: 8 },
  { id: 11, cipher: 'aes-256-ccm', keyBytes: 32, nonceBytes: 13, tagBytes: 8 },
  { id: 12, cipher: 'aes-128-ccm', keyBytes: 16, nonceBytes: 7, tagBytes: 8 },
  { id: 13, cipher: 'aes-256-ccm', keyBytes: 32, nonceBytes: 7, tagBytes: 8 },
  { id: 30, cipher: 'aes-128-ccm', keyBytes: 16, nonceBytes: 13, tagBytes: 16 },
  { id: 31, cipher: 'aes-256-ccm', keyBytes: 32, nonceBytes: 13, tagBytes: 16 },
  { id: 32, cipher: 'aes-128-ccm', keyBytes: 16, nonceBytes: 7, tagBytes: 16 },
  { id: 33, cipher: 'aes-256-ccm', keyBytes: 32, nonceBytes: 7, tagBytes: 16 },
]);

function table<Entry extends { readonly id: number }>(entries: readonly Entry[]): ReadonlyMap<number, Entry> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}
