// General names: RFC 5280 §4.2.1.6. What a certificate says beside, or instead of, its subject.
import { context, DerError, type DerElement, DerReader, TAG } from './der.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';

export type GeneralName =
  | { readonly form: 'dns' | 'uri' | 'email'; readonly text: string }
  /** 4 or 16 bytes; in a constraint 8 or 32, address and mask. */
  | { readonly form: 'ip'; readonly bytes: Uint8Array }
  | { readonly form: 'directory'; readonly name: DistinguishedName }
  /** otherName, x400Address, ediPartyName, registeredID: by their tag. Nothing here can compare them. */
  | { readonly form: 'other'; readonly tag: number };

const [OTHER, EMAIL, DNS, X400, DIRECTORY, EDI, URI, IP, REGISTERED] = [
  context(0, true),
  context(1, false),
  context(2, false),
  context(3, true),
  context(4, true),
  context(5, true),
  context(6, false),
  context(7, false),
  context(8, false),
] as const;

const MAX_NAMES = 256;

/** The content of GeneralNames: at least one. Throws `DerError`. */
export function readGeneralNames(names: DerReader): readonly GeneralName[] {
  const read: GeneralName[] = [];
  do {
    const name = readGeneralName(names.next());
    if (name.form === 'ip' && name.bytes.length !== 4 && name.bytes.length !== 16) {
      throw new DerError('an address of another length');
    }
    if ('text' in name && !WELL_FORMED[name.form].test(name.text))
      throw new DerError(`a bad ${name.form} name`);
    read.push(name);
    if (read.length > MAX_NAMES) throw new DerError('too many names');
  } while (!names.ended);
  return read;
}

/** In a certificate and, with other rules for its text, in a constraint. */
export function readGeneralName(element: DerElement): GeneralName {
  switch (element.tag) {
    case DNS:
      return { form: 'dns', text: ascii(element) };
    case URI:
      return { form: 'uri', text: ascii(element) };
    case EMAIL:
      return { form: 'email', text: ascii(element) };
    case IP:
      return { form: 'ip', bytes: element.content };
    case DIRECTORY: {
      const explicit = new DerReader(element.content);
      const name = readDistinguishedName(explicit.inside(TAG.sequence));
      explicit.end();
      return { form: 'directory', name };
    }
    case OTHER:
    case X400:
    case EDI:
    case REGISTERED:
      return { form: 'other', tag: element.tag };
    default:
      throw new DerError('an unknown form of name');
  }
}

/** IA5String without what nobody can see: a NUL or a line end in a name is there to deceive. */
function ascii({ content }: DerElement): string {
  const text = Buffer.from(content).toString('latin1');
  if (!/^[\x20-\x7e]*$/.test(text)) throw new DerError('a name with characters that are not printable ASCII');
  return text;
}

/** RFC 5280 §4.2.1.6: LDH labels, one `*` label in front; addr-spec without comments; an absolute URI. */
const WELL_FORMED: { readonly [form in 'dns' | 'uri' | 'email']: RegExp } = {
  dns: /^(?=.{1,253}$)(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/,
  uri: /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/,
  email: /^[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/,
};
