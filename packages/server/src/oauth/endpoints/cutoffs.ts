// The cut-off feed of our own (docs/operate/promises.md, "The cut-off feed"): a JWT (RFC 7519 §7.1) by long poll. Errors as in RFC 6749 §5.2.
import { type Form, networkOf, parseForm } from '@countersign/protocol';
import type { CutoffFeed } from '../../cutoff/feed.ts';
import { LONGEST_WAIT } from '../../cutoff/feed.ts';
import { jsonResponse } from '../../http/response.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { Endpoint } from '../../http/route.ts';
import { StorageError } from '../../storage/errors.ts';
import {
  type CutoffFollowerDeps,
  type FollowerWords,
  MOST_ATTEMPTS,
  MOST_RESOURCES,
  noteFollower,
  readFollower,
} from './cutoff-follower.ts';

export interface CutoffsEndpointDeps extends CutoffFollowerDeps {
  readonly feed: Pick<CutoffFeed, 'read'>;
}

/** Seconds until a follower may come back when there is no database. */
const RETRY_AFTER = '1';
const NO_STORE = { 'cache-control': 'no-store' } as const;

/**
 * `GET /oauth/cutoffs?after=CURSOR&wait=SECONDS`, and what the follower says of itself. Public: what it answers is signed and
 * names no secret.
 */
export function createCutoffsEndpoint(deps: CutoffsEndpointDeps): Endpoint {
  return async (request) => {
    const asked = readQuery(request);
    if (typeof asked === 'string') return invalidRequest(asked);
    try {
      const network = networkOf(request.source);
      const proven =
        asked.follower &&
        (await noteFollower(deps, request, asked.follower, asked.receipt, network).catch(unlessUnavailable));
      const from = { source: proven ?? network, proven: proven !== undefined };
      return {
        status: 200,
        headers: { ...NO_STORE, 'content-type': 'application/cutoffs+jwt' },
        body: await deps.feed.read(asked.after, asked.wait, from, request.signal),
      };
    } catch (error) {
      if (error instanceof StorageError && error.fault === 'unavailable') return unavailable();
      throw error;
    }
  };
}

/** A receipt that cannot be read now is told again; whether the feed itself can be read, it says itself. */
function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof StorageError && error.fault === 'unavailable')) throw error;
  return undefined;
}

/** What is wrong with it, when it is not as it should be. */
function readQuery(request: HttpRequest): Asked | string {
  const parsed = parseForm(Buffer.from(request.query, 'latin1'), LIMITS);
  if (!parsed.ok) return 'the query is not well-formed';
  const { form } = parsed;
  if (form.names().some((name) => !PARAMETERS.has(name))) return 'the query has an unknown parameter';
  const after = wholeNumber(form, 'after', /^(?:0|[1-9][0-9]{0,14})$/);
  if (after === undefined) return 'after is not a cursor of this feed';
  const wait = wholeNumber(form, 'wait', /^(?:0|[1-9][0-9]?)$/);
  if (wait === undefined || wait > LONGEST_WAIT)
    return `wait is a number of seconds from 0 to ${LONGEST_WAIT}`;
  const follower = readFollower(request, form);
  if (typeof follower === 'string') return follower;
  return { after, wait, receipt: form.get('after') === undefined ? undefined : after, follower };
}

interface Asked {
  readonly after: number;
  readonly wait: number;
  /** Undefined when it has seen nothing yet. */
  readonly receipt: number | undefined;
  readonly follower: FollowerWords | undefined;
}

const PARAMETERS: ReadonlySet<string> = new Set([
  'after',
  'wait',
  'resource',
  'stale_after',
  'on_stale',
  'attempts',
]);
const LIMITS = {
  maxParameters: 4 + MOST_RESOURCES + MOST_ATTEMPTS,
  repeatable: ['resource', 'attempts'],
} as const;

function wholeNumber(form: Form, name: string, shape: RegExp): number | undefined {
  const text = form.get(name) ?? '0';
  return shape.test(text) ? Number(text) : undefined;
}

function invalidRequest(description: string): HttpResponse {
  return jsonResponse(400, { error: 'invalid_request', error_description: description }, NO_STORE);
}

function unavailable(): HttpResponse {
  const body = { error: 'temporarily_unavailable', error_description: 'try again later' };
  return jsonResponse(503, body, { ...NO_STORE, 'retry-after': RETRY_AFTER });
}
