// Which numbers an ECDSA signature may be made of: FIPS 186-5 §6.4.2, as r‖s of RFC 7518 §3.4.

/** True when r and s are both in [1, order - 1]; the length must already fit. */
export function inRange(signature: Uint8Array, order: Uint8Array): boolean {
  const width = order.length;
  return (
    isBelow(signature, 0, order) &&
    isBelow(signature, width, order) &&
    !isZero(signature, 0, width) &&
    !isZero(signature, width, width)
  );
}

function isBelow(bytes: Uint8Array, start: number, order: Uint8Array): boolean {
  for (let at = 0; at < order.length; at++) {
    const difference = (bytes[start + at] as number) - (order[at] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function isZero(bytes: Uint8Array, start: number, width: number): boolean {
  for (let at = start; at < start + width; at++) if (bytes[at] !== 0) return false;
  return true;
}
