// The token that a session is opened or renewed with: asked for anew each time, so that node-opcua's own repairing of sessions, which
// knows no end, never comes with one that is dead.
import { type AccessToken, type Client, TokenError } from '@countersign/client';
import { ConnectionError } from './connection-error.ts';

export interface TokenProviderOptions {
  readonly client: Pick<Client, 'token' | 'authorize'>;
  readonly resource: string;
  readonly scope?: string | undefined;
  readonly signal: AbortSignal;
}

export class TokenProvider {
  readonly #options: TokenProviderOptions;
  /** The one that was given out last. */
  last: AccessToken | undefined;

  constructor(options: TokenProviderOptions) {
    this.#options = options;
  }

  /** @throws ConnectionError */
  async next(): Promise<AccessToken> {
    const { client, resource, scope, signal } = this.#options;
    try {
      const token = await client.token({ resource, scope, signal });
      if (token.tokenType !== 'Bearer') {
        throw new ConnectionError(
          'unusable_token',
          'OPC UA has no DPoP: ask for bearer or certificate-bound tokens',
        );
      }
      this.last = token;
      return token;
    } catch (error) {
      throw error instanceof ConnectionError ? error : failureOf(error);
    }
  }

  /**
   * Forgets the token that the server did not take and asks for another at once: where there is none, nobody need try again.
   * @throws ConnectionError
   */
  async replace(): Promise<void> {
    const { client, resource, scope } = this.#options;
    const authorization = await client
      .authorize({ url: 'https://opcua.invalid/' }, { resource, scope })
      .catch(() => undefined);
    authorization?.again(401, new Headers());
    await this.next();
  }
}

function failureOf(error: unknown): ConnectionError {
  const code = error instanceof TokenError ? error.code : undefined;
  const wait = code === 'unavailable' || code === 'unreachable' || code === 'bad_response';
  if (code === 'aborted' || code === 'closed') {
    return new ConnectionError('closed', 'the connection was closed', { cause: error });
  }
  return wait
    ? new ConnectionError('unreachable', 'the authority does not answer', { cause: error })
    : new ConnectionError('refused_by_authority', 'the authority gives no token', { cause: error });
}
