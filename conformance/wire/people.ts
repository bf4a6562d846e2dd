import { createHash, randomBytes } from 'node:crypto';
import { type AssertionKey, makeKey } from './client-assertion.ts';
import { accessTokenHash, dpopProof } from './dpop-proof.ts';
import { type Answer, type HeaderLine, jsonOf, send } from './exchange.ts';
import type { Target } from './target.ts';
import { FORM, formBody } from './token-request.ts';

export type Who = 'ada' | 'otto';

/** What the provider gave for one sign-in of a person. */
export interface ProviderAnswer {
  readonly idToken: string;
  readonly nonceVerifier: string;
}

export interface PersonSession {
  readonly token: string;
  readonly key: AssertionKey;
}

export function secret(): string {
  return randomBytes(32).toString('base64url');
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** The address that a sign-in begins at, with what a test wants different; null leaves a parameter out. */
export async function authorizationUrl(
  target: Target,
  change: Readonly<Record<string, string | null>> = {},
): Promise<URL> {
  const offer = jsonOf(await send(`${target.issuer}/v1/sign-in`, { ca: target.ca }));
  const metadata = jsonOf(
    await send(`${String(offer['issuer'])}/.well-known/openid-configuration`, { ca: target.ca }),
  );
  const url = new URL(String(metadata['authorization_endpoint']));
  const good: Record<string, string | null> = {
    response_type: 'code',
    client_id: String(offer['client_id']),
    redirect_uri: 'http://127.0.0.1:49152/callback',
    scope: String(offer['scope']),
    state: secret(),
    nonce: digest(secret()),
    code_challenge: digest(secret()),
    code_challenge_method: 'S256',
    ...change,
  };
  for (const [name, value] of Object.entries(good)) if (value !== null) url.searchParams.set(name, value);
  return url;
}

/** Clicks on a person on the page at this address, and gives back where the browser is sent. */
export async function choose(target: Target, url: string | URL, who: Who): Promise<URL> {
  const page = await send(url, { ca: target.ca });
  if (page.status !== 200) throw new Error(`the page answers ${page.status}`);
  const fields = [...page.text.matchAll(/name="([^"]+)" value="([^"]*)"/g)]
    .map(([, name = '', value = '']) => [name, unescaped(value)] as const)
    .filter(([name]) => name !== 'person');
  const action = new URL(/action="([^"]+)"/.exec(page.text)?.[1] ?? '', url);
  const body = formBody({ ...Object.fromEntries(fields), person: who });
  const answer = await send(action, {
    method: 'POST',
    headers: [['Content-Type', FORM]],
    body,
    ca: target.ca,
  });
  return new URL(String(answer.headers['location']));
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

/** A whole sign-in at the provider. */
export async function idTokenOf(target: Target, who: Who): Promise<ProviderAnswer> {
  const [verifier, nonceVerifier] = [secret(), secret()];
  const url = await authorizationUrl(target, {
    nonce: digest(nonceVerifier),
    code_challenge: digest(verifier),
  });
  const back = await choose(target, url, who);
  const answer = await redeem(target, url, { code: String(back.searchParams.get('code')), verifier });
  return { idToken: String(jsonOf(answer)['id_token']), nonceVerifier };
}

export function redeem(
  target: Target,
  url: URL,
  {
    code,
    verifier,
    ...change
  }: { readonly code: string; readonly verifier: string } & Record<string, string>,
): Promise<Answer> {
  const body = formBody({
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    client_id: String(url.searchParams.get('client_id')),
    redirect_uri: String(url.searchParams.get('redirect_uri')),
    ...change,
  });
  const endpoint = new URL('token', url);
  return send(endpoint, { method: 'POST', headers: [['Content-Type', FORM]], body, ca: target.ca });
}

/** Exchanges an ID token as the command does; null leaves a parameter out. */
export async function exchangeIdToken(
  target: Target,
  { idToken, nonceVerifier }: ProviderAnswer,
  key: AssertionKey,
  change: Readonly<Record<string, string | null>> = {},
): Promise<Answer> {
  const params: Record<string, string | null> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'countersign-cli',
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    nonce_verifier: nonceVerifier,
    ...change,
  };
  const given = Object.entries(params).filter((each): each is [string, string] => each[1] !== null);
  const body = formBody(Object.fromEntries(given));
  const ask = (nonce?: string): Promise<Answer> => {
    const proof = dpopProof(key, target, nonce === undefined ? {} : { nonce });
    const headers: HeaderLine[] = [
      ['Content-Type', FORM],
      ['DPoP', proof],
    ];
    return send(target.tokenEndpoint, { method: 'POST', headers, body, ca: target.ca });
  };
  const first = await ask();
  const nonce = first.headers['dpop-nonce'];
  const again = first.status === 400 && jsonOf(first)['error'] === 'use_dpop_nonce';
  return again ? await ask(String(nonce)) : first;
}

export async function signIn(target: Target, who: Who): Promise<PersonSession> {
  const key = makeKey();
  const answer = await exchangeIdToken(target, await idTokenOf(target, who), key);
  if (answer.status !== 200) throw new Error(`${who} is not signed in: ${answer.text}`);
  return { token: String(jsonOf(answer)['access_token']), key };
}

/** A call of the admin API by a person: `path` from `/v1` on. */
export function callAs(
  target: Target,
  { token, key }: PersonSession,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const url = `${target.issuer}${path}`;
  const { origin, pathname } = new URL(url);
  const proof = dpopProof(key, target, { htm: method, htu: origin + pathname, ath: accessTokenHash(token) });
  const headers: HeaderLine[] = [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', proof],
  ];
  if (body === undefined) return send(url, { method, headers, ca: target.ca });
  headers.push(['Content-Type', 'application/json']);
  return send(url, { method, headers, body: JSON.stringify(body), ca: target.ca });
}
