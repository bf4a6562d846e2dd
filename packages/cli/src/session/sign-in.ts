// A person signs in: authorization code with PKCE (RFC 7636) on loopback (RFC 8252), then RFC 8693 at the authority.
import { createHash, randomBytes } from 'node:crypto';
import type { SignInOffer, SignInProvider } from '@countersign/admin-api';
import { TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import { CommandFailure } from '../failure.ts';
import { listenForCallback } from './callback.ts';
import { newSessionKey, proofOf } from './proof.ts';
import { readOffer, readProvider } from './provider.ts';
import type { Session } from './session-file.ts';

export interface SignInDeps {
  readonly authority: string;
  /** For the authority. */
  readonly send: typeof fetch;
  /** For the provider: its own CA where the authority names one. */
  readonly sendTo: (offer: SignInOffer) => typeof fetch;
  /** Shows the address to the person, or opens it. */
  readonly show: (url: string) => Promise<void>;
  readonly now: () => number;
  readonly timeoutMs: number;
}

/** The story of one sign-in. @throws CommandFailure */
export async function signIn(deps: SignInDeps): Promise<Session> {
  const offer = await readOffer(deps.send, deps.authority);
  const toProvider = deps.sendTo(offer);
  const provider = await readProvider(toProvider, offer.issuer);
  const state = secret();
  const codeVerifier = secret();
  // Its digest goes into the ID token: only who knows it can exchange that for anything.
  const nonceVerifier = secret();
  const callback = await listenForCallback({ ...provider, state, timeoutMs: deps.timeoutMs });
  try {
    const asked = { redirectUri: callback.redirectUri, state, codeVerifier, nonceVerifier };
    await deps.show(authorizationUrl(provider, offer, asked));
    const code = await callback.code;
    const idToken = await redeem(toProvider, provider, offer, { ...asked, code });
    return await exchange(deps, offer, idToken, nonceVerifier);
  } finally {
    callback.close();
  }
}

interface Asked {
  readonly redirectUri: string;
  readonly state: string;
  readonly codeVerifier: string;
  readonly nonceVerifier: string;
}

function authorizationUrl(provider: SignInProvider, offer: SignInOffer, asked: Asked): string {
  const url = new URL(provider.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: offer.clientId,
    redirect_uri: asked.redirectUri,
    scope: offer.scope,
    state: asked.state,
    nonce: digest(asked.nonceVerifier),
    code_challenge: digest(asked.codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.toString();
}

/** RFC 6749 §4.1.3. */
async function redeem(
  send: typeof fetch,
  provider: SignInProvider,
  offer: SignInOffer,
  asked: Asked & { readonly code: string },
): Promise<string> {
  const answer = await post(send, provider.tokenEndpoint, {
    grant_type: 'authorization_code',
    code: asked.code,
    redirect_uri: asked.redirectUri,
    client_id: offer.clientId,
    code_verifier: asked.codeVerifier,
  });
  const { id_token: idToken } = answer.body;
  if (answer.status !== 200 || typeof idToken !== 'string') {
    throw new CommandFailure('denied', `The provider gives no ID token: ${said(answer)}`);
  }
  return idToken;
}

/** RFC 8693 §2.1 with a proof (RFC 9449 §5), once more with the nonce that the authority asks for (§8). */
async function exchange(
  { send, now, authority }: SignInDeps,
  offer: SignInOffer,
  idToken: string,
  nonceVerifier: string,
): Promise<Session> {
  const key = newSessionKey();
  const form = {
    grant_type: TOKEN_EXCHANGE,
    client_id: 'countersign-cli',
    subject_token: idToken,
    subject_token_type: TOKEN_TYPE.idToken,
    nonce_verifier: nonceVerifier,
    resource: offer.resource,
  };
  const url = offer.tokenEndpoint;
  const proof = (nonce?: string): string =>
    proofOf(key, { method: 'POST', url, nonce }, Math.floor(now() / 1000));
  let answer = await post(send, url, form, { dpop: proof() });
  if (answer.body['error'] === 'use_dpop_nonce' && answer.nonce !== undefined) {
    answer = await post(send, url, form, { dpop: proof(answer.nonce) });
  }
  const { access_token: token, expires_in: seconds, token_type: type } = answer.body;
  if (answer.status !== 200 || typeof token !== 'string' || typeof seconds !== 'number' || type !== 'DPoP') {
    throw new CommandFailure('denied', `The authority signs nobody in: ${said(answer)}`, {
      fix: 'Who runs the authority sees why: countersign explain REQUEST_ID',
      requestId: answer.requestId,
    });
  }
  const expiresAt = new Date(now() + seconds * 1000).toISOString();
  return { issuer: authority, access_token: token, expires_at: expiresAt, key };
}

interface FormAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly nonce: string | undefined;
  readonly requestId: string | undefined;
}

async function post(
  send: typeof fetch,
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<FormAnswer> {
  const response = await send(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
    redirect: 'error',
  });
  const body = (await response.json().catch(() => ({}))) as FormAnswer['body'];
  return {
    status: response.status,
    body,
    nonce: response.headers.get('dpop-nonce') ?? undefined,
    requestId: response.headers.get('request-id') ?? undefined,
  };
}

/** What others say is shown as far as it is one line of plain text. */
function said({ status, body }: FormAnswer): string {
  const texts = [body['error'], body['error_description']].filter(
    (text): text is string => typeof text === 'string' && /^[\x20-\x7e]{1,200}$/.test(text),
  );
  return texts.length === 0 ? `status ${status}` : texts.join(': ');
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
