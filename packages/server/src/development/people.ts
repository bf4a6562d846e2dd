// The built-in issuer of people of `countersign dev`: OpenID Connect Core §3.1.2, §3.1.3, PKCE (RFC 7636), `iss` (RFC 9207).
// It signs in whoever clicks, so it is for loopback alone, and `serve` has none.
import { createHash, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { type Form, parseForm, signJws, toPublicJwk } from '@countersign/protocol';
import type { Clock } from '../clock.ts';
import { type HttpResponse, jsonResponse, textResponse } from '../http/response.ts';
import type { Route } from '../http/route.ts';
import type { RandomBytes } from '../ids.ts';
import type { TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import { choicePage, type DevelopmentPerson } from './choice-page.ts';

/** One who decides, and one who works and owns: nobody approves what they asked for. */
export const DEVELOPMENT_PEOPLE: readonly DevelopmentPerson[] = [
  { sub: 'ada', name: 'Ada', email: 'ada@example.com', groups: ['admins', 'approvers'] },
  { sub: 'otto', name: 'Otto', email: 'otto@example.com', groups: ['operators', 'owners', 'payments'] },
];

export interface DevelopmentPeopleDeps {
  /** Of the authority: the issuer of people is `${issuer}/dev/people`. */
  readonly issuer: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export interface DevelopmentPeople {
  readonly routes: readonly Route[];
  /** What trusts it. It is in no registry: nothing of it outlives the process. */
  readonly trustedIssuer: TrustedIssuerRecord;
}

const CLIENT_ID = 'countersign';
const PATH = '/dev/people';
/** Milliseconds that a code lives (RFC 6749 §4.1.2), and an ID token. */
const CODE_MS = 60_000;
const ID_TOKEN_SECONDS = 300;
/** Codes that wait at once; the oldest makes room. */
const MOST_CODES = 100;
/**
 * RFC 8252 §7.3: the loopback address, whatever the port, and the one path of the command, which listens on this address alone. No
 * `[::1]`: a content security policy has no way to name it.
 */
const LOOPBACK = /^http:\/\/127\.0\.0\.1:\d{1,5}\/callback$/;

interface Request {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly state: string;
  readonly nonce: string;
}

interface Waiting extends Request {
  readonly person: DevelopmentPerson;
  readonly at: number;
}

export function developmentPeople(deps: DevelopmentPeopleDeps): DevelopmentPeople {
  const { clock, random } = deps;
  const issuer = `${deps.issuer}${PATH}`;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isRedirect = redirectsOf(deps.issuer);
  const jwks = { keys: [toPublicJwk(publicKey, 'people', 'ES256')] };
  const waiting = new Map<string, Waiting>();

  function remember(entry: Waiting): string {
    const code = Buffer.from(random(32)).toString('base64url');
    if (waiting.size >= MOST_CODES) waiting.delete(waiting.keys().next().value as string);
    waiting.set(code, entry);
    return code;
  }

  /** The code is used up by whoever shows it, whether or not the rest is right. */
  function redeem(form: Form): Waiting | undefined {
    const code = form.get('code') ?? '';
    const entry = waiting.get(code);
    waiting.delete(code);
    const right =
      entry !== undefined &&
      clock.now() - entry.at < CODE_MS &&
      form.get('client_id') === CLIENT_ID &&
      form.get('redirect_uri') === entry.redirectUri &&
      sameText(challengeOf(form.get('code_verifier') ?? ''), entry.challenge);
    return right ? entry : undefined;
  }

  function idToken({ person, nonce, at }: Waiting): string {
    const iat = Math.floor(clock.now() / 1000);
    const claims = {
      iss: issuer,
      aud: CLIENT_ID,
      iat,
      exp: iat + ID_TOKEN_SECONDS,
      auth_time: Math.floor(at / 1000),
      nonce,
      email_verified: true,
      ...person,
    };
    const signer = { kid: 'people', alg: 'ES256', keyObject: privateKey } as const;
    return signJws({ typ: 'JWT' }, JSON.stringify(claims), signer);
  }

  function token(body: Uint8Array): HttpResponse {
    const form = formOf(body);
    if (form?.get('grant_type') !== 'authorization_code') return oauthError('unsupported_grant_type');
    const entry = redeem(form);
    if (entry === undefined) return oauthError('invalid_grant');
    const answer = {
      access_token: Buffer.from(random(32)).toString('base64url'),
      token_type: 'Bearer',
      expires_in: ID_TOKEN_SECONDS,
      id_token: idToken(entry),
    };
    return jsonResponse(200, answer, { 'cache-control': 'no-store' });
  }

  function choose(body: Uint8Array): HttpResponse {
    const form = formOf(body);
    const request = form && readRequest(form, isRedirect);
    const person = DEVELOPMENT_PEOPLE.find(({ sub }) => sub === form?.get('person'));
    if (request === undefined || person === undefined) return refuse();
    const code = remember({ ...request, person, at: clock.now() });
    const query = new URLSearchParams({ code, state: request.state, iss: issuer });
    const location = `${request.redirectUri}?${query.toString()}`;
    return { ...textResponse(303, ''), headers: { location, ...pageHeaders("'none'") } };
  }

  function authorize(query: string): HttpResponse {
    const form = formOf(Buffer.from(query, 'utf8'));
    const request = form && readRequest(form, isRedirect);
    if (form === undefined || request === undefined) return refuse();
    const page = choicePage(`${pathOf(deps.issuer)}${PATH}/authorize`, hiddenOf(form), DEVELOPMENT_PEOPLE);
    const to = new URL(request.redirectUri).origin;
    const formAction = to === new URL(deps.issuer).origin ? "'self'" : `'self' ${to}`;
    const headers = { 'content-type': 'text/html; charset=utf-8', ...pageHeaders(formAction) };
    return { status: 200, headers, body: page };
  }

  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
  };
  const read = { method: 'GET', bodyLimit: 0, errors: 'plain' } as const;
  const write = { method: 'POST', bodyLimit: 16_384, errors: 'plain' } as const;
  return {
    trustedIssuer: recordOf(issuer, jwks, clock.now()),
    routes: [
      {
        ...read,
        path: `${pathOf(deps.issuer)}${PATH}/.well-known/openid-configuration`,
        endpoint: async () => jsonResponse(200, metadata),
      },
      { ...read, path: `${PATH}/jwks`, endpoint: async () => jsonResponse(200, jwks) },
      { ...read, path: `${PATH}/authorize`, endpoint: async ({ query }) => authorize(query) },
      { ...write, path: `${PATH}/authorize`, endpoint: async ({ body }) => choose(body) },
      { ...write, path: `${PATH}/token`, endpoint: async ({ body }) => token(body) },
    ],
  };
}

const PARAMETERS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
] as const;

/** RFC 6749 §4.1.2.1: what does not add up is said here, and never sent on to an address that may be anybody's. */
function readRequest(form: Form, isRedirect: (uri: string) => boolean): Request | undefined {
  const redirectUri = form.get('redirect_uri') ?? '';
  const challenge = form.get('code_challenge') ?? '';
  const state = form.get('state') ?? '';
  const nonce = form.get('nonce') ?? '';
  const whole =
    form.get('response_type') === 'code' &&
    form.get('client_id') === CLIENT_ID &&
    isRedirect(redirectUri) &&
    (form.get('scope') ?? '').split(' ').includes('openid') &&
    form.get('code_challenge_method') === 'S256' &&
    /^[A-Za-z0-9_-]{43}$/.test(challenge) &&
    /^[\x21-\x7e]{16,512}$/.test(state) &&
    /^[\x21-\x7e]{16,512}$/.test(nonce);
  return whole ? { redirectUri, challenge, state, nonce } : undefined;
}

/** The command's, and the console's own, which is of this origin. */
function redirectsOf(issuer: string): (uri: string) => boolean {
  const ofConsole = `${issuer}/console/callback`;
  return (uri) => uri === ofConsole || (LOOPBACK.test(uri) && URL.canParse(uri));
}

function hiddenOf(form: Form): Readonly<Record<string, string>> {
  return Object.fromEntries(PARAMETERS.map((name) => [name, form.get(name) ?? '']));
}

function formOf(bytes: Uint8Array): Form | undefined {
  const result = parseForm(bytes);
  return result.ok ? result.form : undefined;
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

function sameText(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

function oauthError(error: string): HttpResponse {
  return jsonResponse(400, { error }, { 'cache-control': 'no-store' });
}

function refuse(): HttpResponse {
  return textResponse(
    400,
    'This is no sign-in of the countersign command or the console.\n',
    pageHeaders("'none'"),
  );
}

/**
 * Nothing runs on the page, nobody frames it. Chromium holds the redirect after the form against `form-action`, too: so it names where
 * this one request is sent back to.
 */
function pageHeaders(formAction: string): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

/** An issuer may have a path; its routes are put below it by compose.ts, links have to say it themselves. */
function pathOf(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '');
}

function recordOf(issuer: string, jwks: object, now: number): TrustedIssuerRecord {
  return {
    id: 'tis_00000000000000000000',
    issuer,
    name: 'People of countersign dev',
    kind: 'people',
    keys: { from: 'jwks', jwks },
    ca: undefined,
    algorithms: ['ES256'],
    audience: undefined,
    maxTokenAge: ID_TOKEN_SECONDS,
    singleUse: true,
    earlierTokens: undefined,
    people: {
      clientId: CLIENT_ID,
      consoleClientId: undefined,
      scope: 'openid email profile',
      handleClaim: 'email',
      groupsClaim: 'groups',
      sessionLifetime: 3600,
      roles: {
        admin: ['admins'],
        approver: ['approvers'],
        operator: ['operators'],
        owner: ['owners'],
        reviewer: ['approvers'],
      },
      teams: { payments: ['payments'] },
    },
    state: 'active',
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}
