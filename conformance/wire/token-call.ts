import { send, type Answer, type HeaderLine } from './exchange.ts';
import { currentTarget, type ClientCredentials } from './target.ts';
import { basic, FORM, formBody, type Params } from './token-request.ts';

export interface TokenCallAsk {
  readonly client?: ClientCredentials | undefined;
  /** How the client proves itself; `basic` unless told. */
  readonly via?: 'basic' | 'post';
  readonly params?: Params;
  readonly headers?: readonly HeaderLine[];
  readonly contentType?: string;
  readonly method?: string;
  /** From the question mark on. */
  readonly query?: string;
}

/** A call to the introspection or the revocation endpoint, with everything stated. */
export function aboutToken(endpoint: string, ask: TokenCallAsk): Promise<Answer> {
  const target = currentTarget();
  const headers: HeaderLine[] = [['Content-Type', ask.contentType ?? FORM]];
  let params: Params = ask.params ?? {};
  if (ask.client !== undefined && ask.via === 'post')
    params = { client_id: ask.client.id, client_secret: ask.client.secret, ...params };
  else if (ask.client !== undefined) headers.push(['Authorization', basic(ask.client)]);
  headers.push(...(ask.headers ?? []));
  const method = ask.method ?? 'POST';
  return send(`${endpoint}${ask.query ?? ''}`, {
    method,
    headers,
    ca: target.ca,
    ...(method === 'POST' ? { body: formBody(params) } : {}),
  });
}

/** Introspects as `client` does. */
export function introspect(token: string, client: ClientCredentials, more: Params = {}): Promise<Answer> {
  return aboutToken(introspectionEndpoint(), { client, params: { token, ...more } });
}

/** Revokes as `client` does. */
export function revoke(token: string, client: ClientCredentials, more: Params = {}): Promise<Answer> {
  return aboutToken(revocationEndpoint(), { client, params: { token, ...more } });
}

export function introspectionEndpoint(): string {
  return `${currentTarget().issuer}/oauth/introspect`;
}

export function revocationEndpoint(): string {
  return `${currentTarget().issuer}/oauth/revoke`;
}
