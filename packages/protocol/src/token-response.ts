// The successful answer of the token endpoint: RFC 6749 §5.1.
import { isJsonObject } from './strict-json.ts';

/** As sent. `scope` is always stated here, although the RFC lets a server leave it out when nothing was narrowed. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly scope: string;
}

/** As received from any server, with what may be missing. */
export interface ReceivedTokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number | undefined;
  readonly scope: string | undefined;
}

// RFC 6749 appendix A.12: 1*VSCHAR, and no space or a header could not carry it.
const ACCESS_TOKEN = /^[\x21-\x7e]+$/;

/** Reads a token response; `undefined` when it is not one. Unknown members are ignored (§5.1). */
export function parseTokenResponse(value: unknown): ReceivedTokenResponse | undefined {
  if (!isJsonObject(value)) return undefined;
  const { access_token, token_type, expires_in, scope } = { __proto__: null, ...value } as {
    [name: string]: unknown;
  };
  if (typeof access_token !== 'string' || !ACCESS_TOKEN.test(access_token)) return undefined;
  if (typeof token_type !== 'string' || token_type === '') return undefined;
  if (expires_in !== undefined && !(Number.isSafeInteger(expires_in) && (expires_in as number) >= 0)) {
    return undefined;
  }
  if (scope !== undefined && typeof scope !== 'string') return undefined;
  return { access_token, token_type, expires_in: expires_in as number | undefined, scope };
}
