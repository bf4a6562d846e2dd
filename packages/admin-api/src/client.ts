import type { z } from 'zod';
import type { Difference } from './difference.ts';
import type { Operation } from './contract.ts';
import { type OperationId, type Operations, operations, type ResponseOf } from './operations.ts';
import { type Problem, type ProblemCode, parseProblem } from './problem.ts';

/** Why a call failed: a problem of the API, or one of three that never came from it. */
export type AdminErrorCode =
  | ProblemCode
  /** No answer: address, TLS, proxy, time. */
  | 'unreachable'
  /** An answer that is not the admin API's. */
  | 'unintelligible_answer'
  /** An error of a newer server that this client does not know. */
  | 'unknown_problem';

/** The only thing that calls reject with, besides what `token` itself rejects with. */
export class AdminApiError extends Error {
  readonly code: AdminErrorCode;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly problem: Problem | undefined;
  /** `Request-Id` of the answer: what `countersign explain` takes. */
  readonly requestId: string | undefined;
  constructor(
    code: AdminErrorCode,
    message: string,
    facts: { status: number; problem?: Problem; requestId?: string | undefined; cause?: unknown },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'AdminApiError';
    this.code = code;
    this.status = facts.status;
    this.problem = facts.problem;
    this.requestId = facts.requestId;
  }
}

export interface AdminClientOptions {
  /** `…/v1`, as the ready file names it. */
  readonly api: string;
  /** An access token for the resource `api`; asked for before each call. */
  readonly token: () => Promise<string>;
  /** Makes the proof that goes with a token which is bound to a key (RFC 9449 §7.1). Absent: bearer tokens. */
  readonly proof?: (call: {
    readonly method: string;
    readonly url: string;
    readonly accessToken: string;
  }) => Promise<string>;
  readonly fetch?: typeof fetch;
  /** Random id of this running copy (header `Countersign-Instance`). */
  readonly instance?: string;
}

type Given<Name extends string, Schema> = Schema extends z.ZodType
  ? Record<never, never> extends z.input<Schema>
    ? { readonly [K in Name]?: z.input<Schema> }
    : { readonly [K in Name]: z.input<Schema> }
  : Record<never, never>;

interface CommonInput {
  /** An ETag (`Answer.etag`), or `*`. Needed for PATCH and DELETE. */
  readonly ifMatch?: string;
  /** Makes a write safe to repeat for 24 hours. 1 to 200 printable characters. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

type InputOf<Id extends OperationId> = Given<'params', Operations[Id]['params']> &
  Given<'query', Operations[Id]['query']> &
  Given<'body', Operations[Id]['body']> &
  CommonInput;

/** An interface, and thereby a table: out of a mapped type the compiler would multiply every query with every body. */
interface Inputs extends Readonly<{ [Id in OperationId]: InputOf<Id> }> {}

/** What a call of this operation takes: `params`, `query` and `body` as its schemas say, and the common headers. */
export type CallInput<Id extends OperationId> = Inputs[Id];

type Input<Id extends OperationId> =
  Record<never, never> extends Inputs[Id] ? [input?: Inputs[Id]] : [input: Inputs[Id]];

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
}

/** Ids of operations that answer with pages. */
export type ListId = {
  [Id in OperationId]: ResponseOf<Id> extends { items: unknown[]; next_cursor: unknown } ? Id : never;
}[OperationId];
type ItemOf<Id extends ListId> = ResponseOf<Id> extends { items: (infer Item)[] } ? Item : never;

export interface AdminClient {
  /** Rejects with `AdminApiError`. */
  call<Id extends OperationId>(id: Id, ...input: Input<Id>): Promise<Answer<ResponseOf<Id>>>;
  /** The same request as a dry run: what it would change. For writes. */
  preview<Id extends OperationId>(id: Id, ...input: Input<Id>): Promise<Difference>;
  /** Every item of a list, page after page. */
  each<Id extends ListId>(id: Id, ...input: Input<Id>): AsyncIterable<ItemOf<Id>>;
}

interface LooseInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** A client of the admin API whose types are those of the contract table. */
export function createAdminClient(options: AdminClientOptions): AdminClient {
  const root = options.api.replace(/\/v1\/?$/, '');
  const send = options.fetch ?? fetch;

  async function request(id: OperationId, input: LooseInput, dryRun: boolean): Promise<Answer<unknown>> {
    const operation: Operation = operations[id];
    const url = root + target(operation, input, dryRun);
    const accessToken = await options.token();
    const proof = await options.proof?.({ method: operation.method, url, accessToken });
    const headers: Record<string, string> = {
      accept: 'application/json, application/problem+json',
      authorization: `${proof === undefined ? 'Bearer' : 'DPoP'} ${accessToken}`,
      ...(proof === undefined ? {} : { dpop: proof }),
    };
    if (options.instance !== undefined) headers['countersign-instance'] = options.instance;
    if (input.ifMatch !== undefined) headers['if-match'] = input.ifMatch;
    if (input.idempotencyKey !== undefined) headers['idempotency-key'] = input.idempotencyKey;
    const init: RequestInit = { method: operation.method, headers, redirect: 'error' };
    if (input.signal !== undefined) init.signal = input.signal;
    if (operation.body !== undefined) {
      headers['content-type'] =
        operation.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      init.body = JSON.stringify(input.body ?? {});
    }
    let response: Response;
    let text: string;
    try {
      response = await send(url, init);
      text = await response.text();
    } catch (cause) {
      throw new AdminApiError('unreachable', `${root} cannot be reached`, { status: 0, cause });
    }
    return readAnswer(response, text);
  }

  // The precise types are those of AdminClient; in here each operation is like the other.
  const client = {
    call: (id: OperationId, input: LooseInput = {}): Promise<Answer<unknown>> => request(id, input, false),
    async preview(id: OperationId, input: LooseInput = {}): Promise<unknown> {
      return (await request(id, input, true)).body;
    },
    async *each(id: OperationId, input: LooseInput = {}): AsyncGenerator<unknown> {
      let query = { ...input.query };
      while (true) {
        const { body } = await request(id, { ...input, query }, false);
        const { items, next_cursor } = body as { items: unknown[]; next_cursor: string | null };
        yield* items;
        if (next_cursor === null) return;
        query = { ...query, cursor: next_cursor };
      }
    },
  };
  return client as unknown as AdminClient;
}

function target(operation: Operation, input: LooseInput, dryRun: boolean): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(input.params?.[name] ?? ''),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) query.append(name, String(value));
  }
  if (dryRun) query.append('dry_run', 'true');
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function readAnswer(response: Response, text: string): Answer<unknown> {
  const requestId = response.headers.get('request-id') ?? undefined;
  const { status } = response;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new AdminApiError('unintelligible_answer', `status ${status} with a body that is not JSON`, {
      status,
      requestId,
      cause,
    });
  }
  if (response.ok) {
    return { status, body, etag: response.headers.get('etag') ?? undefined, requestId };
  }
  const problem = parseProblem(body);
  if (problem === undefined) {
    const title = (body as { title?: unknown } | null)?.title;
    throw new AdminApiError(
      typeof title === 'string' ? 'unknown_problem' : 'unintelligible_answer',
      typeof title === 'string' ? title : `status ${status} without a problem document`,
      { status, requestId },
    );
  }
  throw new AdminApiError(problem.code, problem.detail ?? problem.title, { status, problem, requestId });
}
