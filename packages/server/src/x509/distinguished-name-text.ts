// Distinguished names as operators write them: RFC 4514 §3. The last relative name of the certificate comes first.
import { attributeType } from './attribute-type.ts';
import { DerError, onlyElement } from './der.ts';
import {
  attributeForm,
  type DistinguishedName,
  directoryText,
  type NameAttribute,
  nameOf,
  relativeForm,
  requireVisible,
} from './distinguished-name.ts';

export type NameReading =
  | { readonly ok: true; readonly name: DistinguishedName }
  /** A sentence for whoever wrote it. */
  | { readonly ok: false; readonly fault: string };

/** Reads `CN=billing,OU=jobs+L=Bern,O=Example`. Never throws. */
export function parseDistinguishedName(text: string): NameReading {
  const attributes: NameAttribute[] = [];
  const rdns: string[] = [];
  if (text === '') return { ok: false, fault: 'an empty name names nobody' };
  try {
    for (const rdn of split(text, ',')) {
      const forms = split(rdn, '+').map((pair) => {
        const { type, text: value, form } = attribute(pair);
        attributes.push({ type, text: value });
        return form;
      });
      rdns.push(relativeForm(forms));
    }
  } catch (error) {
    if (error instanceof DerError) return { ok: false, fault: error.message };
    throw error;
  }
  return { ok: true, name: nameOf(rdns.reverse(), attributes) };
}

/** At each separator that no backslash stands before. */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function attribute(pair: string): NameAttribute & { readonly form: string } {
  const equals = pair.indexOf('=');
  if (equals < 1) throw new DerError('each part is type=value');
  const name = pair.slice(0, equals);
  if (/^ | $/.test(name)) {
    throw new DerError(
      'no spaces around "," "+" and "=": openssl x509 -subject -nameopt RFC2253 writes it so',
    );
  }
  const type = attributeType(name);
  if (type === undefined)
    throw new DerError(
      `"${name.slice(0, 40)}" is no attribute type known here: write CN=payments,O=Example, or the type in dotted decimal`,
    );
  const value = pair.slice(equals + 1);
  if (value.startsWith('#')) return hexValue(type, value.slice(1));
  const text = requireVisible(unescaped(value));
  return { type, text, form: attributeForm(type, text) };
}

/** RFC 4514 §2.4: the encoding itself. */
function hexValue(type: string, hex: string): NameAttribute & { readonly form: string } {
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(hex)) throw new DerError('after # come pairs of hexadecimal digits');
  const element = onlyElement(Buffer.from(hex, 'hex'));
  const text = directoryText(element);
  return { type, text, form: attributeForm(type, text ?? element.whole) };
}

const SPECIAL = /["+,;<>\\ #=]/;

/** RFC 4514 §3: escaped pairs are bytes of UTF-8; what has to be escaped is not taken bare. */
function unescaped(value: string): string {
  if (value.startsWith(' ') || (value.endsWith(' ') && !/(?:^|[^\\])\\(?:\\\\)* $/.test(value))) {
    throw new DerError('a space at the beginning or end of a value is written with a backslash before it');
  }
  const bytes: Buffer[] = [];
  for (let at = 0; at < value.length; ) {
    const char = String.fromCodePoint(value.codePointAt(at) as number);
    if (char === '\\') {
      const pair = value.slice(at + 1, at + 3);
      const next = value[at + 1];
      if (/^[0-9a-fA-F]{2}$/.test(pair)) {
        bytes.push(Buffer.from(pair, 'hex'));
        at += 3;
      } else if (next !== undefined && SPECIAL.test(next)) {
        bytes.push(Buffer.from(next));
        at += 2;
      } else throw new DerError('a backslash stands before a special character or two hexadecimal digits');
    } else {
      if (/["+,;<>]/.test(char)) throw new DerError(`${char} is written with a backslash before it`);
      bytes.push(Buffer.from(char, 'utf8'));
      at += char.length;
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    throw new DerError('the value is not UTF-8');
  }
}
