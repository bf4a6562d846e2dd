// Form request body: RFC 6749 §3.2 (no repeated parameter, no value means omitted) and appendix B.
import { decodeFormText, type FormTextFault } from './form-encoding.ts';
import { asBuffer } from './as-buffer.ts';

/** Why a body is not a form that may be acted on. All of them are `invalid_request`. */
export type FormFault =
  | FormTextFault
  | 'duplicate_parameter'
  | 'too_many_parameters'
  | 'name_too_long'
  | 'empty_name';

export interface FormLimits {
  /** Parameters in the body, repeated ones counted each time. Default 50. */
  readonly maxParameters?: number;
  /** Bytes of a name as sent. Default 256. */
  readonly maxNameBytes?: number;
  /** Names that may come more than once. Default `resource` (RFC 8707 §2) and `audience` (RFC 8693 §2.1). */
  readonly repeatable?: readonly string[];
}

export type FormResult =
  | { readonly ok: true; readonly form: Form }
  | { readonly ok: false; readonly fault: FormFault };

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PLUS = 0x2b;
const PERCENT = 0x25;
const DEFAULT_REPEATABLE: readonly string[] = ['resource', 'audience'];

/** A parsed form. A parameter sent without a value is as good as not sent (RFC 6749 §3.2). */
export class Form {
  // Two flat lists: a token request has about four parameters, and a list has no keys that input could choose.
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  /** For `parseForm`; `names[i]` belongs to `values[i]`. */
  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  /** The value of `name`, or `undefined` when it was not sent or sent empty. Of a repeatable name the first: use `all`. */
  get(name: string): string | undefined {
    for (let i = 0; i < this.#names.length; i++) {
      if (this.#names[i] === name && this.#values[i] !== '') return this.#values[i];
    }
    return undefined;
  }

  /** Every value of `name` in the order sent, without empty ones. */
  all(name: string): readonly string[] {
    return this.#values.filter((value, i) => value !== '' && this.#names[i] === name);
  }

  /** The distinct names that have a value, in the order sent. */
  names(): readonly string[] {
    return [...new Set(this.#names.filter((_, i) => this.#values[i] !== ''))];
  }
}

/**
 * Reads a form body in one pass over its bytes. The caller has bounded the body's size and checked its media type.
 * Empty pairs (`a=1&&b=2`) are skipped; a value may hold `=`.
 */
export function parseForm(body: Uint8Array, limits?: FormLimits): FormResult {
  const bytes = asBuffer(body);
  const maxParameters = limits?.maxParameters ?? 50;
  const maxNameBytes = limits?.maxNameBytes ?? 256;
  const repeatable = limits?.repeatable ?? DEFAULT_REPEATABLE;
  const names: string[] = [];
  const values: string[] = [];
  const end = bytes.length;
  for (let start = 0; start < end; ) {
    let equals = -1;
    let plainName = true;
    let plainValue = true;
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === AMPERSAND) break;
      if (byte === EQUALS && equals === -1) equals = at;
      else if (byte === 0) return { ok: false, fault: 'nul' };
      else if (byte === PERCENT || byte === PLUS || byte >= 0x80) {
        if (equals === -1) plainName = false;
        else plainValue = false;
      }
    }
    if (at > start) {
      const nameEnd = equals === -1 ? at : equals;
      if (nameEnd === start) return { ok: false, fault: 'empty_name' };
      if (nameEnd - start > maxNameBytes) return { ok: false, fault: 'name_too_long' };
      if (names.length === maxParameters) return { ok: false, fault: 'too_many_parameters' };
      let name: string;
      if (plainName) name = bytes.toString('latin1', start, nameEnd);
      else {
        const decoded = decodeFormText(bytes, start, nameEnd);
        if (!decoded.ok) return decoded;
        name = decoded.text;
      }
      // RFC 6749 §3.2: request parameters MUST NOT be included more than once.
      if (names.includes(name) && !repeatable.includes(name))
        return { ok: false, fault: 'duplicate_parameter' };
      let value: string;
      if (equals === -1) value = '';
      else if (plainValue) value = bytes.toString('latin1', equals + 1, at);
      else {
        const decoded = decodeFormText(bytes, equals + 1, at);
        if (!decoded.ok) return decoded;
        value = decoded.text;
      }
      names.push(name);
      values.push(value);
    }
    start = at + 1;
  }
  return { ok: true, form: new Form(names, values) };
}
