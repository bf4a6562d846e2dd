// What a request is about: RFC 7252 §5.10.1, §6.4; why it cannot be answered: §5.4.1, §5.7.2.
import { isUtf8 } from 'node:buffer';
import { CODE, type CoapMessage, OPTION, optionValues } from './coap-message.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'PATCH' | 'IPATCH';

/** RFC 7252 §12.1.1, RFC 8132 §6. */
const METHODS: ReadonlyMap<number, Method> = new Map([
  [CODE.get, 'GET'],
  [CODE.post, 'POST'],
  [CODE.put, 'PUT'],
  [CODE.delete, 'DELETE'],
  [CODE.fetch, 'FETCH'],
  [CODE.patch, 'PATCH'],
  [CODE.ipatch, 'IPATCH'],
]);

/** Bytes of a Uri-Path: RFC 7252 §5.10, table 4. */
const LONGEST_SEGMENT = 255;

export interface RequestTarget {
  readonly method: Method;
  /** `/` and the segments parted by `/`; none of them is empty but the last one may be, none is `.` or `..`, none holds a `/`. */
  readonly path: string;
}

export type TargetResult =
  | { readonly ok: true; readonly target: RequestTarget }
  /** The code to answer with. */
  | { readonly ok: false; readonly code: number };

/** A path that two servers could read in two ways is refused: what is allowed here must be what is served there. */
export function readTarget(message: CoapMessage): TargetResult {
  const method = METHODS.get(message.code);
  if (method === undefined) return { ok: false, code: CODE.methodNotAllowed };
  const numbers = message.options.map(({ number }) => number);
  if (numbers.includes(OPTION.proxyUri) || numbers.includes(OPTION.proxyScheme)) {
    return { ok: false, code: CODE.proxyingNotSupported };
  }
  const segments: string[] = [];
  const values = optionValues(message, OPTION.uriPath);
  for (const [index, value] of values.entries()) {
    // RFC 7252 §5.4.3: of a length that it cannot have, it is an option that nobody knows.
    if (value.length > LONGEST_SEGMENT) return { ok: false, code: CODE.badOption };
    if (!isUtf8(value)) return { ok: false, code: CODE.badRequest };
    const segment = Buffer.from(value).toString('utf8');
    const isLast = index === values.length - 1;
    if (segment === '.' || segment === '..' || segment.includes('/') || segment.includes('\0')) {
      return { ok: false, code: CODE.badRequest };
    }
    if (segment === '' && !isLast) return { ok: false, code: CODE.badRequest };
    segments.push(segment);
  }
  return { ok: true, target: { method, path: `/${segments.join('/')}` } };
}
