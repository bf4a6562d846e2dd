import { currentTarget, type ClientCredentials, type Target } from './target.ts';
import { send, type Answer, type HeaderLine } from './exchange.ts';

export const FORM = 'application/x-www-form-urlencoded';

export type Params = Readonly<Record<string, string | readonly string[]>>;

export interface TokenAsk {
  readonly client?: ClientCredentials;
  /** How the client proves itself; `basic` unless told. */
  readonly via?: 'basic' | 'post';
  readonly params?: Params;
  readonly headers?: readonly HeaderLine[];
  /** Instead of `params`: the body as it is. */
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  readonly localAddress?: string;
  readonly target?: Target;
  /** Appended to the token endpoint, from the question mark on. */
  readonly query?: string;
}

/** RFC 6749 Appendix B: what a careful client does to id and secret before base64. */
export function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

export function basic(client: ClientCredentials): string {
  return `Basic ${Buffer.from(`${formEncode(client.id)}:${formEncode(client.secret)}`).toString('base64')}`;
}

export function formBody(params: Params): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    for (const each of typeof value === 'string' ? [value] : value) form.append(name, each);
  return form.toString();
}

/** POST to the token endpoint; `grant_type=client_credentials` unless the parameters say otherwise. */
export function askToken(ask: TokenAsk): Promise<Answer> {
  const target = ask.target ?? currentTarget();
  const params: Record<string, string | readonly string[]> = {
    grant_type: 'client_credentials',
    ...ask.params,
  };
  const headers: HeaderLine[] = [['Content-Type', ask.contentType ?? FORM]];
  if (ask.client !== undefined && ask.via === 'post')
    Object.assign(params, {
      client_id: ask.client.id,
      client_secret: ask.client.secret,
      ...ask.params,
    });
  else if (ask.client !== undefined) headers.push(['Authorization', basic(ask.client)]);
  headers.push(...(ask.headers ?? []));
  return send(`${target.tokenEndpoint}${ask.query ?? ''}`, {
    method: 'POST',
    headers,
    body: ask.body ?? formBody(params),
    ca: target.ca,
    ...(ask.localAddress === undefined ? {} : { localAddress: ask.localAddress }),
  });
}
