// What the built-in authority of certificates publishes, for anybody: its certificates and whom it revoked. RFC 2585 §4, RFC 8555 §9.1.
import type { CertificateAuthority } from '../../ca/certificate-authority.ts';
import type { RevocationLists } from '../../ca/revocation-lists.ts';
import { header, type HttpRequest } from '../../http/request.ts';
import { type HttpResponse, jsonResponse, textResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { StorageError } from '../../storage/errors.ts';

/** Seconds for which somebody may keep what is the same for everybody. */
const MAX_AGE = 60;
const RETRY_AFTER = '1';

/** `GET /ca/roots`: what whoever checks certificates of this deployment trusts, PEM. */
export function createRootsEndpoint(ca: Pick<CertificateAuthority, 'roots'>): Endpoint {
  return async () => pemAnswer(ca.roots().join(''));
}

/** `GET /ca/issuing`: those that issue, or did, without the roots, PEM; the one that issues now first. */
export function createIssuingEndpoint(ca: Pick<CertificateAuthority, 'all'>): Endpoint {
  return async () => {
    const all = [...ca.all()].sort(
      (one, other) => Number(other.state === 'active') - Number(one.state === 'active'),
    );
    return pemAnswer(all.map(({ chain }) => chain).join(''));
  };
}

function pemAnswer(text: string): HttpResponse {
  return {
    status: 200,
    headers: {
      'content-type': 'application/pem-certificate-chain',
      'cache-control': `public, max-age=${MAX_AGE}`,
    },
    body: text,
  };
}

const PEM_SUFFIX = '.pem';

/** `GET /ca/crl/{authority}`: its revocation list, DER; with `.pem` behind it, PEM. */
export function createRevocationListEndpoint(lists: Pick<RevocationLists, 'read'>): Endpoint {
  return async (request, { authority = '' }) => {
    const asPem = authority.endsWith(PEM_SUFFIX);
    const id = asPem ? authority.slice(0, -PEM_SUFFIX.length) : authority;
    try {
      const list = await lists.read(id);
      if (list === undefined)
        return jsonResponse(404, { error: 'invalid_request' }, { 'cache-control': 'no-store' });
      const headers = { etag: list.etag, 'cache-control': `public, max-age=${MAX_AGE}` };
      if (isKnown(request, list.etag)) return textResponse(304, '', headers);
      return asPem
        ? { status: 200, headers: { ...headers, 'content-type': 'application/x-pem-file' }, body: list.pem }
        : { status: 200, headers: { ...headers, 'content-type': 'application/pkix-crl' }, body: list.der };
    } catch (error) {
      if (!(error instanceof StorageError && error.fault === 'unavailable')) throw error;
      return jsonResponse(
        503,
        { error: 'temporarily_unavailable' },
        { 'cache-control': 'no-store', 'retry-after': RETRY_AFTER },
      );
    }
  };
}

/** RFC 9110 §13.1.2. */
function isKnown(request: HttpRequest, etag: string): boolean {
  const asked = header(request, 'if-none-match');
  if (asked.kind !== 'one') return false;
  return asked.value
    .split(',')
    .some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}
