// Distinguished names in certificates: RFC 5280 §4.1.2.4, compared as §7.1 says, and stricter (see `folded`).
import { DerError, type DerElement, DerReader, readObjectIdentifier, TAG } from './der.ts';

/** One attribute of a name. */
export interface NameAttribute {
  readonly type: string;
  /** Undefined where the value is no text. */
  readonly text: string | undefined;
}

export interface DistinguishedName {
  /**
   * A form for each relative name, first to last as in the certificate; equal forms, equal names. The attributes of one
   * are a set (RFC 5280 §7.1), so their order is not in it.
   */
  readonly rdns: readonly string[];
  /** The whole of it: names are equal when these are. */
  readonly key: string;
  readonly attributes: readonly NameAttribute[];
}

const MAX_RDNS = 64;
const MAX_ATTRIBUTES = 128;

/** `name` is the content of a Name. Throws `DerError`. */
export function readDistinguishedName(name: DerReader): DistinguishedName {
  const rdns: string[] = [];
  const attributes: NameAttribute[] = [];
  while (!name.ended) {
    const set = name.inside(TAG.set);
    const forms: string[] = [];
    do {
      const pair = set.inside(TAG.sequence);
      const type = readObjectIdentifier(pair.next(TAG.objectIdentifier));
      const value = pair.next();
      pair.end();
      const text = directoryText(value);
      forms.push(attributeForm(type, text ?? value.whole));
      attributes.push({ type, text });
      if (attributes.length > MAX_ATTRIBUTES) throw new DerError('a name of too many attributes');
    } while (!set.ended);
    rdns.push(relativeForm(forms));
    if (rdns.length > MAX_RDNS) throw new DerError('a name of too many parts');
  }
  return nameOf(rdns, attributes);
}

export function nameOf(rdns: readonly string[], attributes: readonly NameAttribute[]): DistinguishedName {
  return { rdns, key: JSON.stringify(rdns), attributes };
}

/** Attributes of one relative name, in whatever order, in their one form. */
export function relativeForm(attributes: readonly string[]): string {
  return JSON.stringify([...attributes].sort());
}

/** A value that is no text is compared as its bytes. */
export function attributeForm(type: string, value: string | Uint8Array): string {
  return typeof value === 'string'
    ? `${type}=${folded(value)}`
    : `${type}#${Buffer.from(value).toString('hex')}`;
}

/**
 * RFC 5280 §7.1 compares after RFC 4518: case, and how many spaces there are, do not count, nor does the string type.
 * Stricter here: characters that RFC 4518 drops or that nobody sees are refused when read (`directoryText`), and
 * look-alikes that only compatibility decomposition makes equal stay different, as they are for other validators.
 */
function folded(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .normalize('NFC')
    .replace(/\p{Zs}+/gu, ' ')
    .replace(/^ | $/g, '');
}

/**
 * Control, format, private-use and unassigned characters, line ends, what RFC 4518 §2.2 maps to nothing, and what Unicode
 * says is not to be shown (fillers, variation selectors) or shows as nothing (an empty Braille cell).
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufffc\ufffd\u2800]/u;

/** Refuses text with characters that are not there for readers: a NUL has ended names too early elsewhere. */
export function requireVisible(text: string): string {
  if (UNSEEN.test(text)) throw new DerError('a name with invisible characters');
  return text;
}

/** The text of a value of one of the string types of names; undefined for other types. */
export function directoryText({ tag, content }: DerElement): string | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  switch (tag) {
    case TAG.printableString:
      return requireVisible(matching(bytes, /^[A-Za-z0-9 '()+,\-./:=?*@&_]*$/));
    case TAG.ia5String:
      return requireVisible(matching(bytes, /^[\x00-\x7f]*$/));
    case TAG.teletexString:
      // T.61 beyond ASCII is read in two ways; such a value is its bytes.
      return bytes.every((byte) => byte >= 0x20 && byte < 0x7f) ? bytes.toString('latin1') : undefined;
    case TAG.utf8String:
      return requireVisible(decoded('utf-8', bytes));
    case TAG.bmpString:
      return requireVisible(decoded('utf-16le', Buffer.from(even(bytes)).swap16()));
    case TAG.universalString:
      return requireVisible(fromUtf32(bytes));
    default:
      return undefined;
  }
}

/** X.680 §41.4; beyond it `*`, `@`, `&` and `_`, which many authorities write into PrintableString. */
function matching(bytes: Buffer, pattern: RegExp): string {
  const text = bytes.toString('latin1');
  if (!pattern.test(text)) throw new DerError('a character that the string type does not have');
  return text;
}

function decoded(encoding: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DerError('a string that is not in its encoding');
  }
}

function even(bytes: Buffer): Buffer {
  if (bytes.length % 2 !== 0) throw new DerError('a string that is not in its encoding');
  return bytes;
}

function fromUtf32(bytes: Buffer): string {
  if (bytes.length % 4 !== 0) throw new DerError('a string that is not in its encoding');
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const code = bytes.readUInt32BE(at);
    if (code > 0x10ffff) throw new DerError('a string that is not in its encoding');
    text += String.fromCodePoint(code);
  }
  return text;
}
