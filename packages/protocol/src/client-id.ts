// Client identifier: RFC 6749 §2.2, narrowed to characters that mean the same raw and form-encoded.

declare const clientIdBrand: unique symbol;

/** A well-formed client identifier: 1 to 128 of `A-Z a-z 0-9 _ -`. Well-formed does not mean known. */
export type ClientId = string & { readonly [clientIdBrand]: true };

const CLIENT_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Reads a client identifier; `undefined` when it is not one. */
export function parseClientId(text: string): ClientId | undefined {
  return CLIENT_ID.test(text) ? (text as ClientId) : undefined;
}
