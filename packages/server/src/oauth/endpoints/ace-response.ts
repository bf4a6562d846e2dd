// Answers in CBOR to requests in CBOR: RFC 9200 §5.8.2 (with a token) and §5.8.3 (without), the key in `cnf` as RFC 9202 §3.3.1 has it.
import {
  ACE,
  ACE_MEDIA_TYPE,
  ACE_PROFILE,
  ACE_TOKEN_TYPE,
  aceErrorNumber,
  type CborValue,
  CNF,
  encodeCbor,
  symmetricCoseKey,
} from '@countersign/cose';
import { type HttpRequest, singleHeader } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { IssuedToken } from '../tokens/issue.ts';
import type { IssuedCwt } from '../tokens/issue-cwt.ts';

const HEADERS = { 'content-type': ACE_MEDIA_TYPE, 'cache-control': 'no-store', pragma: 'no-cache' } as const;

export function aceTokenResponse(
  { token, kid, key }: IssuedCwt,
  { scope, expiresIn }: Pick<IssuedToken, 'scope' | 'expiresIn'>,
): HttpResponse {
  const body = encodeCbor(
    new Map<number, CborValue>([
      [ACE.accessToken, token],
      [ACE.expiresIn, expiresIn],
      [ACE.cnf, new Map([[CNF.coseKey, symmetricCoseKey(kid, key)]])],
      [ACE.scope, scope],
      [ACE.tokenType, ACE_TOKEN_TYPE.pop],
      [ACE.aceProfile, ACE_PROFILE.coapDtls],
      // RFC 9202 §3.3.2 lets the client take from here what it writes into psk_identity.
      [ACE.rsCnf, new Map([[CNF.coseKey, symmetricCoseKey(kid)]])],
    ]),
  );
  // RFC 9200 §5.8.2: 2.01 (Created), in HTTP 201 (RFC 8075 §7).
  return { status: 201, headers: HEADERS, body };
}

/** What has no number of its own, under the nearest that has: the text beside it says which it is. */
const NEAREST: { readonly [code: string]: string } = {
  invalid_target: 'invalid_request',
  invalid_authorization_details: 'invalid_request',
  invalid_dpop_proof: 'invalid_request',
  use_dpop_nonce: 'invalid_request',
  access_denied: 'unauthorized_client',
};

/** A refusal in the encoding of the request that it answers. A fault of ours has no number: its status says it. */
export function inEncodingOf(request: Pick<HttpRequest, 'rawHeaders'>, answer: HttpResponse): HttpResponse {
  const type = singleHeader(request, 'content-type');
  if (type?.split(';')[0]?.trim().toLowerCase() !== ACE_MEDIA_TYPE) return answer;
  const { error, error_description: description } = JSON.parse(String(answer.body)) as {
    readonly error: string;
    readonly error_description?: string;
  };
  const number = aceErrorNumber(NEAREST[error] ?? error);
  const body = new Map<number, CborValue>();
  if (number !== undefined) body.set(ACE.error, number);
  body.set(ACE.errorDescription, description ?? error);
  return {
    ...answer,
    headers: { ...answer.headers, 'content-type': ACE_MEDIA_TYPE },
    body: encodeCbor(body),
  };
}
