/** Times that one call is sent: as it is, with a nonce that the first answer brought, with a new token. */
export const MOST_SENT = 3;

/** A body that has been streamed away cannot be sent again. */
export function canBeSentAgain(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof Uint8Array ||
    body instanceof ArrayBuffer
  );
}
