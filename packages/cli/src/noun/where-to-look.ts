import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';

/** What is named is not there: which there are. Another failure is as it was. */
export function sayingWhereToLook(noun: string, error: unknown): unknown {
  return withFix(error, `See which there are: countersign ${noun} list`);
}

export function withFix(error: unknown, fix: string): unknown {
  const failure = failureOf(error);
  if (failure.kind !== 'not_found' || failure.fix !== undefined) return error;
  return new CommandFailure('not_found', failure.message, {
    fix,
    requestId: failure.requestId,
    cause: error,
  });
}
