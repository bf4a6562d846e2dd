import { CommandFailure } from '../failure.ts';

interface Refusal {
  readonly code: unknown;
  readonly error: unknown;
  readonly requestId?: string | undefined;
}

/**
 * `invalid_client` of an endpoint that gives certificates, in words about certificates: whoever asks there has neither a client secret nor a
 * token to look after. The authority tells nobody which reason it was; `countersign explain` does. Any other error stays as it is.
 */
export function certificateRefused(error: unknown, message: string, fix: string): unknown {
  if (!(error instanceof Error) || error.name !== 'TokenError') return error;
  const { code, error: refusal, requestId } = error as Error & Refusal;
  if (code !== 'refused' || refusal !== 'invalid_client') return error;
  return new CommandFailure('denied', `${message}: ${refusal}`, { fix, requestId, cause: error });
}
