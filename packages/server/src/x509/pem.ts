// Textual encoding: RFC 7468, of the labels that are meant and no others.

const ARMOUR = /-----BEGIN ([A-Z0-9 ]{1,40})-----\s+([A-Za-z0-9+/=\s]*?)-----END \1-----/g;

/**
 * The contents of all blocks with this label, in order. Undefined where something else is there that looks like PEM, or a
 * block is no base64. Text between blocks is ignored, as RFC 7468 §2 has it.
 */
export function readPem(text: string, label: 'CERTIFICATE' | 'X509 CRL'): readonly Uint8Array[] | undefined {
  const blocks: Uint8Array[] = [];
  let rest = text;
  for (const [block, found, body = ''] of text.matchAll(ARMOUR)) {
    const base64 = body.replace(/\s+/g, '');
    const bytes = Buffer.from(base64, 'base64');
    if (found !== label || bytes.toString('base64') !== base64) return undefined;
    blocks.push(new Uint8Array(bytes));
    rest = rest.replace(block, '');
  }
  return rest.includes('-----') ? undefined : blocks;
}
