// The error answer of OAuth endpoints: RFC 6749 §5.2.
import type { OAuthErrorCode } from './error-code.ts';
import { isJsonObject } from './strict-json.ts';

export interface ErrorResponse {
  readonly error: OAuthErrorCode;
  readonly error_description?: string;
  readonly error_uri?: string;
}

const ERROR = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** The `error` member of any server's answer, or `undefined` when there is none that could be printed. */
export function receivedErrorCode(value: unknown): string | undefined {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'error')) return undefined;
  const error = value['error'];
  return typeof error === 'string' && ERROR.test(error) ? error : undefined;
}
