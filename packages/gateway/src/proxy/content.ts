// The content of a request on its way to an upstream: framed anew, never longer than the limit. RFC 9112 §6.
import { Transform } from 'node:stream';
import { headerValues } from '../decision/edge-request.ts';

/** How much content a request says it has. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/**
 * Reads the framing of a request that Node's parser has let through; undefined for what must not go on. The parser refuses
 * two lengths, a length beside chunks, and codings that do not end in `chunked`; RFC 9112 §6.1 has more.
 */
export function framingOf(rawHeaders: readonly string[], httpVersion: string): Framing | undefined {
  const codings = headerValues(rawHeaders, 'transfer-encoding');
  const lengths = headerValues(rawHeaders, 'content-length');
  if (codings.length > 0) {
    const fits =
      httpVersion === '1.1' && lengths.length === 0 && codings.join(',').trim().toLowerCase() === 'chunked';
    return fits ? { kind: 'chunked' } : undefined;
  }
  const [length] = lengths;
  if (length === undefined) return { kind: 'none' };
  return lengths.length === 1 && /^[0-9]{1,15}$/.test(length)
    ? { kind: 'length', bytes: Number(length) }
    : undefined;
}

/** The header that frames the content for the upstream. */
export function framingHeaders(framing: Framing, method: string): readonly [string, string] | readonly [] {
  if (framing.kind === 'chunked') return ['Transfer-Encoding', 'chunked'];
  if (framing.kind === 'length') return ['Content-Length', String(framing.bytes)];
  // RFC 9110 §8.6: methods that mean content say that there is none.
  return ['POST', 'PUT', 'PATCH'].includes(method) ? ['Content-Length', '0'] : [];
}

/** More content than the limit. */
export class ContentTooLarge extends Error {}

/** Passes content on and fails with `ContentTooLarge` beyond the limit. */
export function limited(bytes: number): Transform {
  let sum = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum += chunk.length;
      if (sum > bytes) done(new ContentTooLarge());
      else done(null, chunk);
    },
  });
}
