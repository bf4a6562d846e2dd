// No RFC: the error of a verifier that waited in vain.

/** `ready` waited in vain, or had nothing to wait for. `cause` is the last thing that went wrong; the message names it. */
export class NotReadyError extends Error {
  readonly code = 'not_ready' as const;

  constructor(cause: unknown) {
    super(`not ready: ${cause instanceof Error ? cause.message : 'no answer yet'}`, { cause });
    this.name = 'NotReadyError';
  }
}
