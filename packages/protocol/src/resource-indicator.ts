// Resource indicator: RFC 8707 §2.

declare const resourceIndicatorBrand: unique symbol;

/** An absolute URI without fragment that names a resource server. Two are equal only as equal strings. */
export type ResourceIndicator = string & { readonly [resourceIndicatorBrand]: true };

const MAX_CHARS = 2048;
// RFC 3986 §4.3: scheme ":" hier-part [ "?" query ], in the characters that RFC 3986 §2 allows, and no "#".
const ABSOLUTE_URI =
  /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9A-Fa-f][0-9A-Fa-f])+$/;

/** Reads a resource indicator; `undefined` when it is relative, has a fragment, or is over 2,048 characters. */
export function parseResourceIndicator(text: string): ResourceIndicator | undefined {
  if (text.length > MAX_CHARS || !ABSOLUTE_URI.test(text)) return undefined;
  return URL.canParse(text) ? (text as ResourceIndicator) : undefined;
}
