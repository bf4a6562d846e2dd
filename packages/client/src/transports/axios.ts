// axios: `authorizeAxios(axios.create(…), client)`, and every request of that instance carries a token.
import type { Authorization } from '../authorization.ts';
import type { Client, TokenTarget } from '../client.ts';
import { canBeSentAgain, MOST_SENT } from '../send-again.ts';

/** What is used of the configuration of a request, as interceptors see it. */
interface AxiosRequest {
  readonly method?: string;
  readonly data?: unknown;
  /** Of axios on Node: called before each redirect is followed, with the request that it leads to. */
  beforeRedirect?: BeforeRedirect;
  readonly headers: { set(name: string, value: string): unknown; delete(name: string): unknown };
}

type BeforeRedirect = (
  options: { readonly href?: string; readonly headers: { [name: string]: unknown } },
  ...rest: unknown[]
) => void;

interface AxiosAnswer {
  readonly status: number;
  readonly headers: unknown;
}

/** axios's own type of it. */
// oxlint-disable-next-line typescript/no-explicit-any -- naming it would make axios a dependency of everybody
type Config = any;

/** What is used of an instance. */
export interface AxiosInstance {
  readonly interceptors: {
    readonly request: {
      use(fulfilled: (config: Config) => Promise<Config>): number;
      eject(id: number): void;
    };
    readonly response: {
      use(fulfilled: undefined, rejected: (error: unknown) => Promise<unknown>): number;
      eject(id: number): void;
    };
  };
  getUri(config: Config): string;
  request(config: Config): Promise<unknown>;
}

/**
 * Gives each request of the instance a token, and sends it once more where the API's 401 says that this is worth it. What
 * fails for want of a token fails with `TokenError`. Returns how to undo it.
 */
export function authorizeAxios(
  instance: AxiosInstance,
  client: Client,
  target: TokenTarget = {},
): () => void {
  const sent = new WeakMap<object, { readonly authorization: Authorization; readonly times: number }>();

  async function authorized(config: AxiosRequest): Promise<AxiosRequest> {
    const url = instance.getUri(config);
    const authorization = await client.authorize({ method: config.method?.toUpperCase(), url }, target);
    config.headers.delete('dpop');
    for (const [name, value] of Object.entries(authorization.headers)) config.headers.set(name, value);
    config.beforeRedirect = keptAtHome(new URL(url).origin, config.beforeRedirect);
    sent.set(config.headers, { authorization, times: (sent.get(config.headers)?.times ?? 0) + 1 });
    return config;
  }

  async function refused(error: unknown): Promise<unknown> {
    const { config, response } = error as { config?: AxiosRequest; response?: AxiosAnswer };
    const known = config === undefined ? undefined : sent.get(config.headers);
    if (config === undefined || response === undefined || known === undefined) throw error;
    const again = known.authorization.again(response.status, headersOf(response));
    if (!again || known.times === MOST_SENT || !canBeSentAgain(config.data)) throw error;
    return instance.request(config);
  }

  const { request, response } = instance.interceptors;
  const ids = [request.use(authorized), response.use(undefined, refused)] as const;
  return () => {
    request.eject(ids[0]);
    response.eject(ids[1]);
  };
}

/** A redirect is the API's word, and a token is for the API: axios takes both along, to names below the first one even a token. */
function keptAtHome(origin: string, before: BeforeRedirect | undefined): BeforeRedirect {
  return (options, ...rest) => {
    const { href = '', headers } = options;
    if (!URL.canParse(href) || new URL(href).origin !== origin) {
      for (const name of Object.keys(headers))
        if (/^(?:authorization|dpop)$/i.test(name)) delete headers[name];
    }
    before?.(options, ...rest);
  };
}

function headersOf({ headers }: AxiosAnswer): Headers {
  const plain = new Headers();
  for (const [name, value] of Object.entries(headers as object)) {
    if (typeof value === 'string') plain.set(name, value);
  }
  return plain;
}
