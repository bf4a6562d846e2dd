// The trust bundle of this deployment, for other trust domains: SPIFFE_Federation.md §5.2.1 of the SPIFFE specification (https_web), RFC 7517 §5.
import { header } from '../../http/request.ts';
import { jsonResponse, textResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import type { OwnBundle } from '../../ca/own-bundle.ts';
import { StorageError } from '../../storage/errors.ts';

const RETRY_AFTER = '1';

/** `GET /spiffe/bundle`, for anybody: §5.2.1.3 wants nobody to prove anything. */
export function createSpiffeBundleEndpoint(bundle: OwnBundle): Endpoint {
  return async (request) => {
    try {
      const { body, etag } = await bundle.read();
      // Asked for again each time: what was taken out of it is gone at once for whoever asks.
      const headers = { etag, 'cache-control': 'no-cache' };
      const asked = header(request, 'if-none-match');
      if (asked.kind === 'one' && asked.value === etag) return textResponse(304, '', headers);
      return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body };
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
