// Where people sign in: the authority says which provider, the provider says its endpoints. OpenID Connect Discovery §4.3.
import { isLoopback, parseIssuer, wellKnownUrl } from '@countersign/protocol';

/** What the authority publishes at `/v1/sign-in`, for one of its two clients. */
export interface SignInOffer {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** PEM; null: what the platform trusts. */
  readonly ca: string | null;
  readonly tokenEndpoint: string;
  readonly resource: string;
}

export interface SignInProvider {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** It says in each answer who it is (RFC 9207): one that does not say so then is not its own. */
  readonly saysIssuer: boolean;
}

/** Nobody signs in there; it does not say where; or it names an endpoint that is not its own. */
export type NoSignInOffer =
  | { readonly fault: 'nobody' | 'incomplete' }
  | { readonly fault: 'elsewhere'; readonly endpoint: string };

/** @param client whose offer it is: the command line's or the console's */
export async function signInOfferIn(
  response: Response,
  { authority, client }: { readonly authority: string; readonly client: 'cli' | 'console' },
): Promise<SignInOffer | NoSignInOffer> {
  if (response.status === 404) return { fault: 'nobody' };
  const offer = await membersOf(response);
  const { issuer, scope, token_endpoint: tokenEndpoint, resource, ca } = offer;
  const clientId = offer[client === 'cli' ? 'client_id' : 'console_client_id'];
  const texts = [issuer, clientId, scope, tokenEndpoint, resource];
  if (!response.ok || !areTexts(texts) || parseIssuer(texts[0] as string) === undefined) {
    return { fault: 'incomplete' };
  }
  // Nothing is sent anywhere but to the authority that was named.
  if (tokenEndpoint !== `${authority}/oauth/token` || resource !== `${authority}/v1`) {
    return { fault: 'elsewhere', endpoint: String(tokenEndpoint) };
  }
  return {
    issuer: issuer as string,
    clientId: clientId as string,
    scope: scope as string,
    ca: typeof ca === 'string' ? ca : null,
    tokenEndpoint,
    resource,
  };
}

export function signInProviderUrl(issuer: string): string {
  return wellKnownUrl(issuer, 'openid-configuration');
}

/** The provider that its metadata are of; a text: what is wrong with them. */
export async function signInProviderIn(response: Response, issuer: string): Promise<SignInProvider | string> {
  if (!response.ok) return `status ${response.status}`;
  const metadata = await membersOf(response);
  // Exactly, or the endpoints are somebody else's.
  if (metadata['issuer'] !== issuer) return 'they are of another issuer';
  const methods = metadata['code_challenge_methods_supported'];
  if (Array.isArray(methods) && !methods.includes('S256')) return 'PKCE with S256 is not offered';
  const authorizationEndpoint = secureUrl(metadata['authorization_endpoint']);
  const tokenEndpoint = secureUrl(metadata['token_endpoint']);
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) {
    return 'an endpoint is missing or not https';
  }
  const saysIssuer = metadata['authorization_response_iss_parameter_supported'] === true;
  return { issuer, authorizationEndpoint, tokenEndpoint, saysIssuer };
}

async function membersOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const members: unknown = await response.json().catch(() => undefined);
  return typeof members === 'object' && members !== null ? (members as Record<string, unknown>) : {};
}

function areTexts(values: readonly unknown[]): values is readonly string[] {
  return values.every((each) => typeof each === 'string');
}

function secureUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)) ? value : undefined;
}
