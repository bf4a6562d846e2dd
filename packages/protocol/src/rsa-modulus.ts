// RSA public keys that must not be trusted: RFC 7518 §3.3 (2048 bits), RFC 8725 §3.5, FIPS 186-5 §A.1.1, CVE-2017-15361.

const MIN_BITS = 2048;
const MAX_BITS = 8192;
const MIN_EXPONENT = 65537n;
const MAX_EXPONENT_BYTES = 8;

// Keys of the broken generator are powers of 65537 modulo each of these primes; of an honest key that holds by
// chance with a probability under 2^-27.
const ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/** True when the modulus is too small, too large to be cheap, even, or made by the ROCA generator, or when the exponent is unsafe. */
export function rsaModulusFault(n: Uint8Array, e: Uint8Array): boolean {
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  if (bits < MIN_BITS || bits > MAX_BITS) return true;
  if (((n[n.length - 1] as number) & 1) === 0) return true;
  if (e.length === 0 || e.length > MAX_EXPONENT_BYTES) return true;
  const exponent = toBigInt(e);
  if (exponent < MIN_EXPONENT || (exponent & 1n) === 0n) return true;
  const modulus = toBigInt(n);
  return ROCA_PRIMES.every((prime) => isPowerOf65537(Number(modulus % BigInt(prime)), prime));
}

function isPowerOf65537(residue: number, prime: number): boolean {
  const generator = 65537 % prime;
  let power = 1;
  do {
    if (power === residue) return true;
    power = (power * generator) % prime;
  } while (power !== 1);
  return false;
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`);
}
