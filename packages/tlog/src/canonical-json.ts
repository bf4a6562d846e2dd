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
/** Text that stands between quotes as it is; most of it does, and the check is cheaper than JSON.stringify. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Names and indexes of the members that are open, outermost first: what an error says, at next to no cost. */
type Path = (string | number)[];

/**
 * The canonical text of a value: members sorted by the UTF-16 code units of their names, no spaces, numbers and strings
 * as ECMAScript writes them. Takes null, booleans, finite numbers, strings, arrays and plain objects and nothing else:
 * `undefined`, bigints, dates and instances are a mistake in the caller, not something to leave out.
 * @throws CanonicalJsonError
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

function write(value: unknown, path: Path): string {
  if (typeof value === 'string') return writeString(value, path);
  if (typeof value === 'number') {
    // RFC 8785 §3.2.2.3. Minus zero is written 0.
    if (!Number.isFinite(value)) throw fault('not_finite', path);
    return String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object') throw fault('not_json', path);
  if (path.length === MAX_DEPTH) throw fault('too_deep', path);
  return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path);
}

/** RFC 8785 §3.2.2.2: what JSON.stringify writes, and half a surrogate pair is an error. */
function writeString(text: string, path: Path): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw fault('lone_surrogate', path);
  return JSON.stringify(text);
}

function writeArray(values: readonly unknown[], path: Path): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    path.push(i);
    text += i === 0 ? write(values[i], path) : `,${write(values[i], path)}`;
    path.pop();
  }
  return `${text}]`;
}

function writeObject(value: object, path: Path): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw fault('not_json', path);
  let text = '{';
  // RFC 8785 §3.2.3: `sort` without a function compares UTF-16 code units.
  for (const name of Object.keys(value).sort()) {
    path.push(name);
    if (text.length > 1) text += ',';
    text += `${writeString(name, path)}:${write((value as { [name: string]: unknown })[name], path)}`;
    path.pop();
  }
  return `${text}}`;
}

function fault(code: CanonicalJsonFault, path: Path): CanonicalJsonError {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return new CanonicalJsonError(code, steps.join(''));
}
