// JSON objects that two parsers cannot read differently: RFC 8259 §4 with unique names, as RFC 7515 §4 and RFC 7519 §4 ask.
import { decodeUtf8 } from './utf8.ts';

export type JsonFault =
  | 'too_long'
  | 'bad_utf8'
  | 'not_json'
  | 'not_an_object'
  | 'too_deep'
  | 'too_many_values'
  | 'duplicate_member'
  | 'lone_surrogate';

/** Members are own properties, `__proto__` too; read names that input chose with `Object.hasOwn`. */
export type JsonObject = { readonly [name: string]: unknown };

export type JsonObjectResult =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly fault: JsonFault };

export interface JsonLimits {
  /** Nesting of objects and arrays, the outermost counted. Default 32. */
  readonly maxDepth?: number;
  /** Bytes, or UTF-16 code units when a string is given. Default 262,144. */
  readonly maxBytes?: number;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Reads one JSON object. Refuses a byte order mark, bad UTF-8, repeated names (also when escaped differently), deep nesting. */
export function parseJsonObject(source: string | Uint8Array, limits?: JsonLimits): JsonObjectResult {
  if (source.length > (limits?.maxBytes ?? 262_144)) return { ok: false, fault: 'too_long' };
  const text = typeof source === 'string' ? source : decodeUtf8(source);
  if (text === undefined) return { ok: false, fault: 'bad_utf8' };
  if (typeof source === 'string' && LONE_SURROGATE.test(text)) return { ok: false, fault: 'lone_surrogate' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'not_json' };
  }
  if (!isJsonObject(value)) return { ok: false, fault: 'not_an_object' };
  const fault = structureFault(text, value, limits?.maxDepth ?? 32);
  return fault === undefined ? { ok: true, value } : { ok: false, fault };
}

/** True for an object that is neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * One pass over text that JSON.parse has accepted, which is why it need not check the grammar again. Of two members with
 * one name JSON.parse keeps one: so there are no such two where the text has as many names as the value.
 */
function structureFault(text: string, value: JsonObject, maxDepth: number): JsonFault | undefined {
  let depth = 0;
  let names = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const start = at;
      let escaped = false;
      for (at++; text.charCodeAt(at) !== QUOTE; at++) {
        if (text.charCodeAt(at) === BACKSLASH) {
          escaped = true;
          at++;
        }
      }
      if (escaped && LONE_SURROGATE.test(JSON.parse(text.slice(start, at + 1)) as string)) {
        return 'lone_surrogate';
      }
    } else if (char === COLON) names++;
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > maxDepth) return 'too_deep';
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return names === countNames(value) ? undefined : 'duplicate_member';
}

/** No deeper than the text, which has been measured. */
function countNames(value: object): number {
  const members = Object.values(value) as unknown[];
  let count = Array.isArray(value) ? 0 : members.length;
  for (const each of members) if (typeof each === 'object' && each !== null) count += countNames(each);
  return count;
}
