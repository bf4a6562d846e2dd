import { type AdminClient, createAdminClient } from '@countersign/admin-api';
import { proofOf } from '../session/proof.ts';
import type { Session } from '../session/session.ts';

/** The admin API as the person who signed in: each request with a proof of the session's key (RFC 9449 §7.1). */
export function adminAs(session: Session, ended: () => void): AdminClient {
  return createAdminClient({
    api: `${session.authority}/v1`,
    token: () => Promise.resolve(session.token),
    proof: (call) => proofOf(session.key, call, Math.floor((Date.now() + session.ahead) / 1000)),
    async fetch(url, init) {
      const response = await fetch(url, { ...init, credentials: 'omit', cache: 'no-store' });
      // Signed out elsewhere, cut off, or over.
      if (response.status === 401) ended();
      return response;
    },
  });
}
