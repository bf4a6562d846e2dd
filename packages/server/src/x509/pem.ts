// Textual encoding: RFC 7468, of the labels that are meant and no others.

/** RFC 7468 §5, §6, §7, what `keytool` calls a request, and §11. */
export type PemLabel =
  | 'CERTIFICATE'
  | 'X509 CRL'
  | 'CERTIFICATE REQUEST'
  | 'NEW CERTIFICATE REQUEST'
  | 'ENCRYPTED PRIVATE KEY';

const BODY = /^\s[A-Za-z0-9+/=\s]*$/;

/**
 * The contents of all blocks with this label, in order. Undefined where something else is there that looks like PEM, or a
 * block is no base64. Text between blocks is ignored, as RFC 7468 §2 has it. Each character is looked at a few times, however
 * the text is made.
 */
export function readPem(text: string, label: PemLabel): readonly Uint8Array[] | undefined {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const blocks: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf(begin, at);
    const between = text.slice(at, start < 0 ? undefined : start);
    if (between.includes('-----')) return undefined;
    if (start < 0) return blocks;
    const stop = text.indexOf(end, start);
    const block = stop < 0 ? undefined : decoded(text.slice(start + begin.length, stop));
    if (block === undefined) return undefined;
    blocks.push(block);
    at = stop + end.length;
  }
}

function decoded(body: string): Uint8Array | undefined {
  if (!BODY.test(body)) return undefined;
  const base64 = body.replace(/\s+/g, '');
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? new Uint8Array(bytes) : undefined;
}

/** RFC 7468 §3: 64 characters a line. Ends with a line end. */
export function writePem(der: Uint8Array, label: PemLabel): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
