// JSON Canonicalization Scheme: RFC 8785 §3.

export type CanonicalJsonFault = 'lone_surrogate' | 'not_finite' | 'not_json' | 'too_deep';

/** Thrown for a value that has no canonical form. `path` says where, as in `.a[0]`. */
export class CanonicalJsonError extends TypeError {
  readonly code: CanonicalJsonFault;
  readonly path: string;

  constructor(code: CanonicalJsonFault, path: string) {
    super(`${MESSAGES[code]} at ${path === '' ? 'the top' : path}`);
    this.name = 'CanonicalJsonError';
    this.code = code;
    this.path = path;
  }
}

const MESSAGES: { readonly [code in CanonicalJsonFault]: string } = {
  lone_surrogate: 'half a surrogate pair',
  not_finite: 'a number that is not finite',
  not_json: 'a value that JSON cannot carry',
  too_deep: 'a value nested more than 64 deep, or in a circle,',
};

const MAX_DEPTH = 64;

/**
 * The canonical text of a value: members sorted by the UTF-16 code units of their names, no spaces, numbers and strings
 * as ECMAScript writes them. Takes null, booleans, finite numbers, strings, arrays and plain objects and nothing else:
 * `undefined`, bigints, dates and instances are a mistake in the caller, not something to leave out.
 * @throws CanonicalJsonError
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', MAX_DEPTH);
}

function write(value: unknown, path: string, depth: number): string {
  if (typeof value === 'string') return writeString(value, path);
  if (typeof value === 'number') {
    // RFC 8785 §3.2.2.3. Minus zero is written 0.
    if (!Number.isFinite(value)) throw new CanonicalJsonError('not_finite', path);
    return String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object') throw new CanonicalJsonError('not_json', path);
  if (depth === 0) throw new CanonicalJsonError('too_deep', path);
  return Array.isArray(value) ? writeArray(value, path, depth - 1) : writeObject(value, path, depth - 1);
}

/** RFC 8785 §3.2.2.2: what JSON.stringify writes, and half a surrogate pair is an error. */
function writeString(text: string, path: string): string {
  if (!text.isWellFormed()) throw new CanonicalJsonError('lone_surrogate', path);
  return JSON.stringify(text);
}

function writeArray(values: readonly unknown[], path: string, depth: number): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    text += write(values[i], `${path}[${i}]`, depth);
  }
  return `${text}]`;
}

function writeObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new CanonicalJsonError('not_json', path);
  let text = '{';
  // RFC 8785 §3.2.3: `sort` without a function compares UTF-16 code units.
  for (const name of Object.keys(value).sort()) {
    if (text.length > 1) text += ',';
    const memberPath = `${path}.${name}`;
    text += `${writeString(name, memberPath)}:${write((value as { [name: string]: unknown })[name], memberPath, depth)}`;
  }
  return `${text}}`;
}
