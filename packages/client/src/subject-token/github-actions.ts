// The ID token of a GitHub Actions job, fetched from its runner: RFC 7523 §2.1.
import { isLoopback, parseJsonObject } from '@countersign/protocol';
import { FetchFailure, fetchBounded } from '@countersign/protocol/discovery';
import { TokenError } from '../errors.ts';
import type { SubjectTokenSource } from './source.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 65_536;

/**
 * Asks the runner for a new token each time, with the issuer of the authority as its audience. The job needs
 * `permissions: { id-token: write }`.
 */
export function githubActionsToken(env: NodeJS.ProcessEnv = process.env): SubjectTokenSource {
  return async ({ issuer, signal }) => {
    const bearer = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
    const address = env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '';
    if (!URL.canParse(address) || bearer === undefined || bearer === '') {
      throw new Error('GitHub gives this job no ID token: it needs permissions: { id-token: write }');
    }
    const url = new URL(address);
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
      throw new TokenError('insecure_url', `a token is not sent to ${url.origin}: use https`);
    }
    url.searchParams.set('audience', issuer);
    const response = await fetchBounded(url.href, {
      fetch: globalThis.fetch,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      signal,
      headers: { accept: 'application/json', authorization: `Bearer ${bearer}` },
    }).catch((error: unknown) => {
      throw asTokenError(error);
    });
    const { status } = response;
    if (status === 429 || status >= 500) throw new TokenError('unavailable', `GitHub answered ${status}`);
    const parsed = parseJsonObject(response.body);
    const token: unknown = parsed.ok && status === 200 ? parsed.value['value'] : undefined;
    if (typeof token === 'string') return token;
    throw new Error(`GitHub gave no ID token; it answered ${status}`);
  };
}

function asTokenError(error: unknown): unknown {
  if (!(error instanceof FetchFailure) || error.code === 'too_large') return error;
  const code = error.code === 'aborted' ? 'aborted' : 'unreachable';
  return new TokenError(code, `GitHub: ${error.message}`, { cause: error });
}
