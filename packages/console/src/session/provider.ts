// Where people sign in: the authority says which provider, the provider says its endpoints. OpenID Connect Discovery §4.3.
import { SignInFailure } from './failure.ts';

/** What the authority publishes at `/v1/sign-in`. */
export interface SignInOffer {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  readonly tokenEndpoint: string;
  readonly resource: string;
  /** Milliseconds by which the authority's clock is ahead of this browser's. */
  readonly ahead: number;
}

export interface Provider {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** It says in each answer who it is (RFC 9207): one that does not say so then is not its own. */
  readonly saysIssuer: boolean;
}

/** @throws SignInFailure */
export async function readOffer(authority: string): Promise<SignInOffer> {
  const response = await fetch(`${authority}/v1/sign-in`, { redirect: 'error' }).catch(() => undefined);
  if (response === undefined) {
    throw new SignInFailure('The authority cannot be reached.', 'See whether it runs, and try again.');
  }
  if (response.status === 404) {
    throw new SignInFailure(
      'Nobody signs in at this authority: it trusts no issuer of people.',
      'On a machine that administers it: countersign trusted-issuers create --kind people',
    );
  }
  const offer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { issuer, console_client_id: clientId, scope, token_endpoint: tokenEndpoint, resource } = offer;
  const whole = [issuer, clientId, scope].every((each) => typeof each === 'string');
  // Nothing is sent anywhere but to the authority that this page is of.
  if (!whole || tokenEndpoint !== `${authority}/oauth/token` || resource !== `${authority}/v1`) {
    throw new SignInFailure('The authority does not say where people sign in.', 'Tell who runs it.');
  }
  const told = Date.parse(response.headers.get('date') ?? '');
  // The header has whole seconds: only what is more than that is a clock that is wrong.
  const apart = Number.isNaN(told) ? 0 : told - Date.now();
  const ahead = Math.abs(apart) > 2000 ? apart : 0;
  return {
    issuer: issuer as string,
    clientId: clientId as string,
    scope: scope as string,
    tokenEndpoint,
    resource,
    ahead,
  };
}

/** @throws SignInFailure */
export async function readProvider(issuer: string): Promise<Provider> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { redirect: 'error' }).catch(() => undefined);
  if (response === undefined) {
    throw new SignInFailure(
      `${issuer} cannot be asked from a browser.`,
      `Let it allow the origin ${location.origin} (CORS), as a provider does for a single-page application.`,
    );
  }
  const metadata = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const wrong = (what: string): SignInFailure =>
    new SignInFailure(
      `The metadata of ${issuer} are not acceptable: ${what}.`,
      'Tell who runs the authority.',
    );
  if (!response.ok) throw wrong(`status ${response.status}`);
  // Discovery §4.3: exactly, or the endpoints are somebody else's.
  if (metadata['issuer'] !== issuer) throw wrong('they are of another issuer');
  const methods = metadata['code_challenge_methods_supported'];
  if (Array.isArray(methods) && !methods.includes('S256')) throw wrong('PKCE with S256 is not offered');
  const authorizationEndpoint = secureUrl(metadata['authorization_endpoint']);
  const tokenEndpoint = secureUrl(metadata['token_endpoint']);
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) {
    throw wrong('an endpoint is missing or not https');
  }
  const saysIssuer = metadata['authorization_response_iss_parameter_supported'] === true;
  return { issuer, authorizationEndpoint, tokenEndpoint, saysIssuer };
}

function secureUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { protocol, hostname } = new URL(value);
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && loopback) ? value : undefined;
}
