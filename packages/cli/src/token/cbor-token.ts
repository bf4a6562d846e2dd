// A CBOR Web Token as text: base64url, for it is bytes (RFC 8392 §7.2).
import type { AccessCwtClaims, CoseMessage } from '@countersign/cose';

export interface CborToken {
  readonly message: CoseMessage;
  readonly claims: AccessCwtClaims;
  /** Of the key that signed it. */
  readonly kid: string;
}

/** Base64 of either alphabet. Undefined for everything that is no such token; nothing is verified. */
export async function readCborToken(text: string): Promise<CborToken | undefined> {
  if (!/^[A-Za-z0-9_+/-]+={0,2}$/.test(text)) return undefined;
  const { HEADER, readCose, readCwtClaims } = await import('@countersign/cose');
  const cose = readCose(new Uint8Array(Buffer.from(text, 'base64')));
  const read = cose.ok ? readCwtClaims(cose.message.body) : undefined;
  if (!cose.ok || read?.ok !== true) return undefined;
  const kid = cose.message.protected.get(HEADER.kid);
  if (!(kid instanceof Uint8Array)) return undefined;
  return { message: cose.message, claims: read.claims, kid: Buffer.from(kid).toString('latin1') };
}

/** As a JWT would have them. */
export function headerOf({ message, kid }: CborToken): { readonly alg: string; readonly kid: string } {
  const alg = message.protected.get(1);
  // Nothing else is issued here; another goes by the number that it has (RFC 9053 §2).
  return { alg: alg === -7 ? 'ES256' : typeof alg === 'number' ? String(alg) : 'unknown', kid };
}

/** As a JWT would have them: bytes that are ids in base64url, the name of the key as the text that it is. */
export function claimsOf({ claims }: CborToken): { readonly [name: string]: unknown } {
  const { cti, kid, cnonce, ...texts } = claims;
  return {
    ...texts,
    jti: Buffer.from(cti).toString('base64url'),
    cnf: { kid: Buffer.from(kid).toString('latin1') },
    ...(cnonce === undefined ? {} : { cnonce: Buffer.from(cnonce).toString('base64url') }),
  };
}
