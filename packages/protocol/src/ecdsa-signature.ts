// ECDSA signatures as r‖s (RFC 7518 §3.4) and as the DER that the platform speaks (RFC 3279 §2.2.3).
// By hand, because asking `node:crypto` for r‖s means an options object, and that makes it prepare the key again.

/**
 * DER to r‖s, each `width` bytes. `undefined` unless the DER is the one encoding of two positive integers that fit.
 */
export function derToP1363(der: Uint8Array, width: number): Buffer | undefined {
  // SEQUENCE; P-521 would need a two-byte length and is not in use here.
  const total = der[1];
  if (der[0] !== 0x30 || total === undefined || total > 0x7f || der.length !== total + 2) return undefined;
  const joined = Buffer.alloc(width * 2);
  let at = 2;
  for (let part = 1; part <= 2; part++) {
    const length = der[at + 1];
    if (der[at] !== 0x02 || length === undefined || length === 0 || at + 2 + length > der.length)
      return undefined;
    let start = at + 2;
    at = start + length;
    const first = der[start] as number;
    if (first & 0x80) return undefined;
    if (first === 0) {
      // A leading zero is there only to keep the number positive.
      if (length === 1 || ((der[start + 1] as number) & 0x80) === 0) return undefined;
      start++;
    }
    if (at - start > width) return undefined;
    joined.set(der.subarray(start, at), part * width - (at - start));
  }
  return at === der.length ? joined : undefined;
}

/** What the platform is given to verify, which it does at once: of every length a view of the same memory. */
const DER_VIEWS: readonly Buffer[] = derViews(104);

function derViews(longest: number): readonly Buffer[] {
  const der = Buffer.allocUnsafeSlow(longest);
  return Array.from({ length: longest + 1 }, (_, length) => der.subarray(0, length));
}

/**
 * r‖s to DER, which is overwritten by the next one. The caller has checked that the length is even and at most 96 bytes.
 */
export function p1363ToDer(signature: Uint8Array): Buffer {
  const width = signature.length / 2;
  let r = leadingZeros(signature, 0, width);
  let s = width + leadingZeros(signature, width, width);
  const rPad = (signature[r] as number) >> 7;
  const sPad = (signature[s] as number) >> 7;
  const rLength = width - r + rPad;
  const sLength = width * 2 - s + sPad;
  const der = DER_VIEWS[rLength + sLength + 6] as Buffer;
  der[0] = 0x30;
  der[1] = rLength + sLength + 4;
  der[2] = 0x02;
  der[3] = rLength;
  let at = 4;
  if (rPad === 1) der[at++] = 0;
  while (r < width) der[at++] = signature[r++] as number;
  der[at++] = 0x02;
  der[at++] = sLength;
  if (sPad === 1) der[at++] = 0;
  while (s < width * 2) der[at++] = signature[s++] as number;
  return der;
}

/** Zero bytes at the start of one number; the last byte is never counted. */
function leadingZeros(bytes: Uint8Array, start: number, width: number): number {
  let count = 0;
  while (count < width - 1 && bytes[start + count] === 0) count++;
  return count;
}

const joined: Buffer = Buffer.alloc(64);

/**
 * The platform's own DER signature over P-256 as base64url of r‖s. For signatures just made here: their form is not
 * questioned, and nothing is allocated but the text.
 */
export function joinedP256(der: Uint8Array): string {
  let length = der[3] as number;
  let from = 4;
  let to = 0;
  for (const end of [32, 64]) {
    // A leading zero keeps the number positive; a short number is filled up on the left.
    if (length === 33) {
      from++;
      length = 32;
    }
    while (to < end - length) joined[to++] = 0;
    while (to < end) joined[to++] = der[from++] as number;
    length = der[from + 1] as number;
    from += 2;
  }
  return joined.toString('base64url');
}
