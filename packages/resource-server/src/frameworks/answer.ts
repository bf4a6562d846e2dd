// What every framework sends, however it is written there: a refusal (RFC 6750 §3) or the API's metadata (RFC 9728 §3).
import type { PublishedMetadata } from '../metadata.ts';
import type { Refusal } from '../refusal.ts';
import { refusalBody } from '../require-scope.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
/** Everybody may read it, pages of other origins too: a client in a browser finds its authority by it. */
const METADATA_HEADERS = {
  ...JSON_TYPE,
  'Cache-Control': 'max-age=300',
  'Access-Control-Allow-Origin': '*',
};

export function refusalAnswer({ status, headers, error }: Refusal): Answer {
  return { status, headers: { ...headers, ...JSON_TYPE }, body: refusalBody(error) };
}

/**
 * The answer to a request for the metadata document; undefined for any other request. `target`: path and query as they
 * came, before any router shortened them.
 */
export function metadataAnswer(
  metadata: PublishedMetadata | undefined,
  { method, target }: { readonly method: string | undefined; readonly target: string | undefined },
): Answer | undefined {
  if (metadata === undefined || (method !== 'GET' && method !== 'HEAD') || target !== metadata.path) {
    return undefined;
  }
  return { status: 200, headers: METADATA_HEADERS, body: JSON.stringify(metadata.document) };
}
