// JSON objects of strangers: as strict-json.ts reads them (RFC 8259 §4), and with no more values than are wanted.
import { type JsonLimits, type JsonObjectResult, parseJsonObject } from './strict-json.ts';
import { decodeUtf8 } from './utf8.ts';

export interface BoundedJsonLimits extends JsonLimits {
  /** Objects, arrays, and what is in them, together. */
  readonly maxValues: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** `parseJsonObject`, which also refuses what holds more than `maxValues`. */
export function parseBoundedJsonObject(
  source: string | Uint8Array,
  { maxValues, ...limits }: BoundedJsonLimits,
): JsonObjectResult {
  // What is too long is refused for that, unread.
  if (source.length <= (limits.maxBytes ?? 262_144)) {
    const text = typeof source === 'string' ? source : decodeUtf8(source);
    if (text !== undefined && holdsMore(text, maxValues)) return { ok: false, fault: 'too_many_values' };
  }
  return parseJsonObject(source, limits);
}

/**
 * Whether the text, if it is JSON, holds more values: each stands behind a comma or the beginning of an object or array.
 * Asked before anything is built of it, because an object of 100,000 names costs far more than its bytes.
 */
function holdsMore(text: string, maxValues: number): boolean {
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) {
        if (text.charCodeAt(at) === BACKSLASH) at++;
      }
    } else if ((char === COMMA || char === 0x7b || char === 0x5b) && ++values > maxValues) return true;
  }
  return false;
}
