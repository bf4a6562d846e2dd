// Options that a request may not have where it is answered here and not passed on: RFC 7252 §5.4.1, RFC 7959 §2.2.
import { type CoapMessage, OPTION } from './coap-message.ts';

/** Where it goes, and what is wanted in return. */
const KNOWN: ReadonlySet<number> = new Set([
  OPTION.uriHost,
  OPTION.uriPort,
  OPTION.uriPath,
  OPTION.uriQuery,
  OPTION.accept,
]);

/**
 * Whether a critical option (an odd number) is there that nobody here knows: 4.02, or nothing at all to what wants no confirmation. A
 * condition is one of them, and so is a block of something longer: a part is not taken for the whole.
 */
export function hasUnknownCritical({ options }: Pick<CoapMessage, 'options'>): boolean {
  return options.some((option) => option.number % 2 === 1 && !KNOWN.has(option.number) && !isWhole(option));
}

/** Block1 of a body that is all in this one: number 0, and no more to come. */
function isWhole({ number, value }: CoapMessage['options'][number]): boolean {
  return number === OPTION.block1 && value.length <= 1 && ((value[0] ?? 0) & 0xf8) === 0;
}
