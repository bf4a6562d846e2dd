/** Why a command did not do what was asked; exit-code.ts gives each its number. */
export type FailureKind =
  | 'failure'
  | 'usage'
  | 'not_found'
  | 'denied'
  | 'conflict'
  | 'difference'
  | 'unreachable'
  | 'interrupted';

export interface FailureDetails {
  /** What to do about it, as a sentence or a command. */
  readonly fix?: string | undefined;
  /** For `countersign explain`, where it knows more than the answer says. */
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** A failure with its words: printed on stderr as it is, without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly kind: FailureKind;
  readonly fix: string | undefined;
  readonly requestId: string | undefined;

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.fix = details.fix;
    this.requestId = details.requestId;
  }
}

/** A value on the command line or in the environment that cannot be used: exit code 2. */
export function usageError(message: string, fix?: string): CommandFailure {
  return new CommandFailure('usage', message, { fix });
}
