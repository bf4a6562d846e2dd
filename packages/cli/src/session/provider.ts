// Where people sign in: the authority says which provider, the provider says its endpoints. OpenID Connect Discovery §4.3.
import { parseIssuer } from '@countersign/protocol';
import { CommandFailure } from '../failure.ts';

/** What the authority publishes at `/v1/sign-in`. */
export interface SignInOffer {
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
  /** PEM; null: what the platform trusts. */
  readonly ca: string | null;
  readonly token_endpoint: string;
  readonly resource: string;
}

export interface Provider {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** It says in each answer who it is (RFC 9207): one that does not say so then is not its own. */
  readonly saysIssuer: boolean;
}

/** @throws CommandFailure */
export async function readOffer(send: typeof fetch, authority: string): Promise<SignInOffer> {
  const response = await send(`${authority}/v1/sign-in`, { redirect: 'error' });
  if (response.status === 404) {
    throw new CommandFailure(
      'not_found',
      'Nobody signs in at this authority: it trusts no issuer of people.',
      {
        fix: 'Create one: countersign trusted-issuers create --kind people (docs/guide/sign-in.md)',
      },
    );
  }
  const offer = (await response.json().catch(() => ({}))) as Partial<SignInOffer>;
  const { issuer, client_id: clientId, scope, token_endpoint: endpoint, resource } = offer;
  const whole = [issuer, clientId, scope, endpoint, resource].every((each) => typeof each === 'string');
  if (!response.ok || !whole || parseIssuer(issuer as string) === undefined) {
    throw new CommandFailure('failure', `${authority} does not say where people sign in.`);
  }
  // Nothing is sent anywhere but to the authority that was named.
  if (endpoint !== `${authority}/oauth/token` || resource !== `${authority}/v1`) {
    throw new CommandFailure(
      'failure',
      `${authority} names another authority to sign in at: ${String(endpoint)}`,
    );
  }
  return { ...offer, ca: offer.ca ?? null } as SignInOffer;
}

/** @throws CommandFailure */
export async function readProvider(send: typeof fetch, issuer: string): Promise<Provider> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await send(url, { redirect: 'error' });
  const metadata = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const wrong = (what: string): CommandFailure =>
    new CommandFailure('failure', `The metadata of ${issuer} are not acceptable: ${what}.`);
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
