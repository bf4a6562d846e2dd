// Token status lists, for whoever verifies our tokens and does not follow the cut-off feed: draft-ietf-oauth-status-list-21 §5.1, §8.
import { STATUS_LIST_TTL, type StatusLists } from '../../cutoff/status-list.ts';
import { jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { StorageError } from '../../storage/errors.ts';

const TYPE = 'application/statuslist+jwt';
const NUMBER = /^(?:0|[1-9][0-9]{0,8})$/;
/** Seconds until somebody may come back when there is no database. */
const RETRY_AFTER = '1';

/** `GET /oauth/status/{list}`. Public: what it says is signed, and names nobody. */
export function createStatusListEndpoint(lists: Pick<StatusLists, 'read'>): Endpoint {
  return async (_request, { list = '' }) => {
    try {
      const jwt = NUMBER.test(list) ? await lists.read(Number(list)) : undefined;
      if (jwt === undefined)
        return jsonResponse(404, { error: 'invalid_request' }, { 'cache-control': 'no-store' });
      const headers = { 'content-type': TYPE, 'cache-control': `max-age=${STATUS_LIST_TTL}` };
      return { status: 200, headers, body: jwt };
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
