// A person signs in: authorization code with PKCE (RFC 7636) in this window, then RFC 8693 at the authority. What lies in the tab's own storage
// meanwhile is good for nothing but this one sign-in, and is taken out before anything else happens. Why so: docs/decisions/0060.
import { digest, secret } from './encoding.ts';
import { SignInFailure } from './failure.ts';
import { newSessionKey, proofOf, type SessionKey } from './proof.ts';
import { readOffer, readProvider } from './provider.ts';
import type { Session } from './session.ts';

/** What has to be remembered while the browser is at the provider. */
interface Begun {
  readonly state: string;
  readonly codeVerifier: string;
  /** Its digest goes into the ID token: only who knows it can exchange that for anything. */
  readonly nonceVerifier: string;
  readonly issuer: string;
  readonly saysIssuer: boolean;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly back: string;
  readonly at: number;
}

const PLACE = 'countersign.sign-in';
/** Milliseconds that a person may take at the provider. */
const PATIENCE_MS = 10 * 60_000;

/** Leaves for the provider; comes back at `/console/callback`, and from there to `back`. @throws SignInFailure */
export async function beginSignIn(authority: string, back: string): Promise<void> {
  const offer = await readOffer(authority);
  const provider = await readProvider(offer.issuer);
  const [state, codeVerifier, nonceVerifier] = [secret(), secret(), secret()];
  const redirectUri = `${authority}/console/callback`;
  const url = new URL(provider.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: offer.clientId,
    redirect_uri: redirectUri,
    scope: offer.scope,
    state,
    nonce: await digest(nonceVerifier),
    code_challenge: await digest(codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const { issuer, saysIssuer, tokenEndpoint } = provider;
  const of = { issuer, saysIssuer, tokenEndpoint, clientId: offer.clientId, redirectUri };
  const begun: Begun = { state, codeVerifier, nonceVerifier, ...of, back, at: Date.now() };
  sessionStorage.setItem(PLACE, JSON.stringify(begun));
  location.assign(url.toString());
}

/** The answer of the provider in this address, and the sign-in that it answers. Taken out of both at once. @throws SignInFailure */
export function takeAnswer(authority: string): { readonly code: string; readonly begun: Begun } {
  const answer = new URLSearchParams(location.search);
  const stored = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  history.replaceState(null, '', new URL(`${authority}/console`).pathname);
  const again = 'Sign in again.';
  if (stored === null) throw new SignInFailure('This is the answer to no sign-in of this tab.', again);
  const begun = JSON.parse(stored) as Begun;
  // RFC 6749 §10.12: without the state it is an answer to nothing that was asked here.
  if (answer.getAll('state').length !== 1 || answer.get('state') !== begun.state) {
    throw new SignInFailure('This is the answer to another sign-in.', again);
  }
  if (Date.now() - begun.at > PATIENCE_MS) throw new SignInFailure('The sign-in took too long.', again);
  // RFC 9207 §2.4: an answer of another server is refused, and so is one that does not say, where all do.
  const iss = answer.get('iss');
  if (iss === null ? begun.saysIssuer : iss !== begun.issuer) {
    throw new SignInFailure('The answer to the sign-in is of another provider.', again);
  }
  const error = answer.get('error');
  if (error !== null) {
    throw new SignInFailure(`${begun.issuer} signed nobody in: ${plain(error) ?? 'an error'}.`, again);
  }
  const code = answer.get('code');
  if (code === null || code === '') throw new SignInFailure('The answer to the sign-in has no code.', again);
  return { code, begun };
}

/** Makes a session of the provider's answer. @throws SignInFailure */
export async function finishSignIn(
  authority: string,
  { code, begun }: ReturnType<typeof takeAnswer>,
): Promise<{ readonly session: Session; readonly back: string }> {
  const offer = await readOffer(authority);
  if (offer.issuer !== begun.issuer)
    throw new SignInFailure('People sign in elsewhere now.', 'Sign in again.');
  const idToken = await redeem(begun, code);
  const key = await newSessionKey();
  const given = { idToken, nonceVerifier: begun.nonceVerifier, ahead: offer.ahead };
  return { session: await exchange(authority, key, given), back: begun.back };
}

/** RFC 6749 §4.1.3. */
async function redeem(begun: Begun, code: string): Promise<string> {
  const answer = await post(begun.tokenEndpoint, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: begun.redirectUri,
    client_id: begun.clientId,
    code_verifier: begun.codeVerifier,
  });
  const { id_token: idToken } = answer.body;
  if (answer.status === 0) {
    throw new SignInFailure(
      `${begun.tokenEndpoint} cannot be asked from a browser.`,
      `Let the provider allow the origin ${location.origin} (CORS), as it does for a single-page application.`,
    );
  }
  if (answer.status !== 200 || typeof idToken !== 'string') {
    throw new SignInFailure(`The provider gives no ID token: ${said(answer)}.`, 'Sign in again.');
  }
  return idToken;
}

/** RFC 8693 §2.1 with a proof (RFC 9449 §5), once more with the nonce that the authority asks for (§8). */
async function exchange(
  authority: string,
  key: SessionKey,
  { idToken, nonceVerifier, ahead }: { idToken: string; nonceVerifier: string; ahead: number },
): Promise<Session> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'countersign-console',
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    nonce_verifier: nonceVerifier,
    resource: `${authority}/v1`,
  };
  const url = `${authority}/oauth/token`;
  const seconds = (): number => Math.floor((Date.now() + ahead) / 1000);
  const proof = (nonce?: string): Promise<string> => proofOf(key, { method: 'POST', url, nonce }, seconds());
  let answer = await post(url, form, { dpop: await proof() });
  if (answer.body['error'] === 'use_dpop_nonce' && answer.nonce !== undefined) {
    answer = await post(url, form, { dpop: await proof(answer.nonce) });
  }
  const { access_token: token, expires_in: lifetime, token_type: type } = answer.body;
  if (answer.status !== 200 || typeof token !== 'string' || typeof lifetime !== 'number' || type !== 'DPoP') {
    throw new SignInFailure(
      `The authority signs nobody in: ${said(answer)}.`,
      'Who runs the authority sees why: countersign explain, with the request below.',
      answer.requestId,
    );
  }
  return { authority, token, key, ahead, expiresAt: Date.now() + lifetime * 1000 };
}

interface FormAnswer {
  /** 0: there was none. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly nonce: string | undefined;
  readonly requestId: string | undefined;
}

async function post(
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<FormAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
    redirect: 'error',
    credentials: 'omit',
  }).catch(() => undefined);
  if (response === undefined) return { status: 0, body: {}, nonce: undefined, requestId: undefined };
  return {
    status: response.status,
    body: (await response.json().catch(() => ({}))) as FormAnswer['body'],
    nonce: response.headers.get('dpop-nonce') ?? undefined,
    requestId: response.headers.get('request-id') ?? undefined,
  };
}

/** What others say is shown as far as it is one line of plain text. */
function said({ status, body }: FormAnswer): string {
  const texts = [body['error'], body['error_description']].map(plain).filter((text) => text !== undefined);
  return texts.length === 0 ? `status ${status}` : texts.join(': ');
}

function plain(text: unknown): string | undefined {
  return typeof text === 'string' && /^[\x20-\x7e]{1,200}$/.test(text) ? text : undefined;
}
