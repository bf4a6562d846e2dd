// Token introspection: RFC 7662, as a signed answer RFC 9701, in CBOR RFC 9200 §5.9. Who may see what is decided in docs/decisions/0009-who-may-introspect.md.
import { ACE_MEDIA_TYPE } from '@countersign/cose';
import { CERTIFICATE_HINT } from '@countersign/protocol';
import { type HttpRequest, singleHeader } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import type { Keystore } from '../../keys/keystore.ts';
import type { OwnToken, OwnTokenReader } from '../tokens/own-token.ts';
import { liveScopes, type TokenStateDeps } from '../tokens/token-state.ts';
import { AceQuestion, inCborAnswer, readAceQuestion } from './ace-introspection.ts';
import type { OtherBodies } from './read-form.ts';
import { type ApiKeyClaims, introspectApiKey, type IntrospectApiKeyDeps } from './introspect-api-key.ts';
import { type CertificateClaims, introspectCertificate } from './introspect-certificate.ts';
import type { ClientCallDeps } from './client-call.ts';
import { noteUnmet, standsInCall } from './standing-call.ts';
import { createTokenCallEndpoint, type TokenCall } from './token-call.ts';

export interface IntrospectDeps extends ClientCallDeps, IntrospectApiKeyDeps, Pick<TokenStateDeps, 'ledger'> {
  readonly ownTokens: Pick<OwnTokenReader, 'read'>;
  readonly keystore: Pick<Keystore, 'sign'>;
}

const OTHER_BODIES: OtherBodies = new Map([[ACE_MEDIA_TYPE, readAceQuestion]]);

export function createIntrospectEndpoint(deps: IntrospectDeps): Endpoint {
  const introspect = async (call: TokenCall): Promise<HttpResponse> => {
    const answer = await answerOf(deps, call);
    if (call.form instanceof AceQuestion) return inCborAnswer(answer);
    return wantsJwt(call.request) ? await signed(deps, call, answer) : answer;
  };
  return createTokenCallEndpoint(deps, introspect, OTHER_BODIES);
}

async function answerOf(deps: IntrospectDeps, call: TokenCall): Promise<HttpResponse> {
  const found = await foundFor(deps, call);
  if (found !== undefined) return found;
  await noteUnmet(deps.record, call);
  return INACTIVE;
}

async function foundFor(deps: IntrospectDeps, call: TokenCall): Promise<HttpResponse | undefined> {
  const { client, token, hint, at } = call;
  const standsFor = (identifier: string): boolean => standsInCall(call, [identifier], 'introspect');
  // Only where it is asked about as one: it is public, and others would take it for a token.
  if (hint === CERTIFICATE_HINT) {
    const claims = await introspectCertificate(deps, standsFor, token, at);
    return claims && activeCredential(claims);
  }
  if (token.startsWith(API_KEY_PREFIX)) {
    const claims = await introspectApiKey(deps, standsFor, token, at);
    return claims && activeCredential(claims);
  }
  const reading = deps.ownTokens.read(token);
  const own = reading instanceof Promise ? await reading : reading;
  // Its own token, or one for a resource server for which it stands (RFC 7662 §4: no token scanning).
  const isOwn = own?.claims.client_id === client.facts.identity.clientId;
  if (own === undefined || !(isOwn || standsInCall(call, own.claims.aud, 'introspect'))) return undefined;
  const scopes = await liveScopes(deps, own, at);
  return scopes.length === 0 ? undefined : active(own, scopes);
}

const API_KEY_PREFIX = 'cak_';
const JWT_TYPE = 'application/token-introspection+jwt';

/** RFC 9701 §4: asked for by name; whoever takes anything gets JSON. */
function wantsJwt(request: HttpRequest): boolean {
  const accept = singleHeader(request, 'accept');
  return accept !== undefined && accept.toLowerCase().includes(JWT_TYPE);
}

/** RFC 9701 §5: for the caller alone; no `sub` and no `exp`, so that nobody could take it for an access token. */
async function signed(deps: IntrospectDeps, call: TokenCall, answer: HttpResponse): Promise<HttpResponse> {
  const { clientId } = call.client.facts.identity;
  const claims =
    `{"iss":${JSON.stringify(deps.issuer)},"aud":"${clientId}","iat":${Math.floor(call.at / 1000)},` +
    `"token_introspection":${String(answer.body)}}`;
  const body = await deps.keystore.sign('ES256', 'token-introspection+jwt', claims);
  return { status: 200, headers: { ...HEADERS, 'content-type': JWT_TYPE }, body };
}

const HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  pragma: 'no-cache',
} as const;

/** RFC 7662 §2.2: nothing beside it, or it would say why. */
const INACTIVE: HttpResponse = { status: 200, headers: HEADERS, body: '{"active":false}' };

/** Neither a key nor a certificate has a `token_type` (RFC 6749 §7.1), and the answer is nobody's to keep. */
function activeCredential(claims: ApiKeyClaims | CertificateClaims): HttpResponse {
  return { status: 200, headers: HEADERS, body: JSON.stringify({ active: true, ...claims }) };
}

const answers = new WeakMap<OwnToken, HttpResponse>();

/** The claims as they were signed, unless a scope has been taken away since. */
function active(own: OwnToken, scopes: readonly string[]): HttpResponse {
  const { claims, payload } = own;
  const known = answers.get(own);
  if (known !== undefined && scopes === claims.scope) return known;
  const { cnf } = claims;
  const type = cnf?.unknown.includes('kid') === true ? 'PoP' : cnf?.jkt === undefined ? 'Bearer' : 'DPoP';
  const whole =
    scopes === claims.scope ? payload : JSON.stringify({ ...claims.all, scope: scopes.join(' ') });
  const body = `{"active":true,"token_type":"${type}",${whole.slice(1)}`;
  const response = { status: 200, headers: HEADERS, body };
  if (scopes === claims.scope) answers.set(own, response);
  return response;
}
