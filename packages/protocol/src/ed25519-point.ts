// Ed25519 public keys of small order: RFC 8032 §5.1.3 decodes them, and signatures for them are made without a secret.

/** The y coordinates of points whose order divides 8, little-endian; the last two are 0 and 1 with the field's size added. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]);

/** Whether anybody could sign for this key. `encoded`: its 32 bytes, whose highest bit is the sign of the other coordinate. */
export function hasSmallOrder(encoded: Uint8Array): boolean {
  const y = Array.from(encoded, (byte, at) => (at === 31 ? byte & 0x7f : byte));
  return SMALL_ORDER.has(y.map((byte) => byte.toString(16).padStart(2, '0')).join(''));
}
