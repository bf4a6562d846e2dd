/** One element (X.690 section 8.1), up to 65,535 bytes. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), content]);
}

/** The elements that a constructed one holds, each whole. */
export function elementsIn(whole: Buffer): readonly Buffer[] {
  const { from, to } = contentOf(whole, 0);
  const found: Buffer[] = [];
  for (let at = from; at < to; ) {
    const { to: next } = contentOf(whole, at);
    found.push(whole.subarray(at, next));
    at = next;
  }
  return found;
}

function contentOf(bytes: Buffer, at: number): { from: number; to: number } {
  const first = bytes.readUInt8(at + 1);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const from = at + 2 + more;
  return { from, to: from + (more === 0 ? first : bytes.readUIntBE(at + 2, more)) };
}

/** Where SubjectPublicKeyInfo stands among what is signed of a certificate of version 3: RFC 5280 section 4.1. */
const PUBLIC_KEY = 6;

/** PEM of the same certificate about another key (DER): its own signature is no longer right. */
export function withPublicKey(certificate: Buffer, publicKey: Uint8Array): string {
  const [signed, ...rest] = elementsIn(certificate);
  const fields = elementsIn(signed as Buffer).map((field, at) => (at === PUBLIC_KEY ? publicKey : field));
  const der = element(0x30, element(0x30, ...fields), ...rest);
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
