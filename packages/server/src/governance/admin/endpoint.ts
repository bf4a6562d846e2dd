import type {
  BodyOf,
  ObjectChange,
  Operation,
  OperationId,
  ParamsOf,
  QueryOf,
  ResponseOf,
} from '@countersign/admin-api';
import { type Actor, type ChangeEvent, type Changes, personMembers } from '../../audit/change.ts';
import type { AuditEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import { outsideText } from '../../audit/outside-text.ts';
import type { StrangerBudget } from '../../audit/stranger-budget.ts';
import type { Clock } from '../../clock.ts';
import type { HttpRequest } from '../../http/request.ts';
import { type HttpResponse, jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { newId, type RandomBytes } from '../../ids.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { warningsOf } from '../../registry/policy/warnings.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { createGiveWay } from '../../telemetry/pacer.ts';
import { differenceOf } from '../apply/difference.ts';
import { rehearse } from '../apply/rehearse.ts';
import type { Admin } from './admin.ts';
import type { Idempotency } from './idempotency.ts';
import { ownOnly, refuseNotOwn, requireOwn } from './own-only.ts';
import { ProblemError, problemOf, problemResponse } from './problem.ts';
import { type ReadInput, readInput } from './read-request.ts';
import { type RequireAdmin, TokenRefused } from './require-admin.ts';

/** A request as its operation's contract describes it, by a caller who may make it. */
export interface Call<Id extends OperationId> {
  readonly params: ParamsOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  readonly admin: Admin;
  /** Throws `precondition_failed` when the caller named other versions than this one. */
  requireVersion(version: number): void;
}

export interface Result<Id extends OperationId> {
  readonly body: ResponseOf<Id>;
  /** Of the one record that the body shows: its ETag. */
  readonly version?: number | undefined;
  /** Where what was created is. */
  readonly location?: string | undefined;
  /** Shown in place of the body to who asked for a sheet. */
  readonly csv?: { readonly text: string; readonly nextCursor: string | null } | undefined;
}

/** What an operation does, in one of three ways. */
export type Handler<Id extends OperationId> =
  | { readonly kind: 'read'; readonly run: (call: Call<Id>) => Promise<Result<Id>> }
  /** In one transaction, which is rolled back for a dry run. */
  | {
      readonly kind: 'write';
      readonly run: (call: Call<Id>, stores: Stores, tell: Tell) => Promise<Result<Id>>;
      /** What a dry run says beside the changes. */
      readonly foresee?: (call: Call<Id>, changes: readonly ObjectChange[]) => Promise<object>;
    }
  /** With transactions of its own; makes its own dry run. */
  | {
      readonly kind: 'many';
      readonly run: (call: Call<Id>) => Promise<Result<Id>>;
      readonly preview: (call: Call<Id>) => Promise<object>;
      readonly foresee?: (call: Call<Id>) => Promise<object>;
    };

/** The handlers of one noun: every operation of the contract whose id begins with it. */
export type NounHandlers<Noun extends string> = {
  readonly [Id in Extract<OperationId, `${Noun}.${string}`>]: Handler<Id>;
};

export interface EndpointDeps {
  readonly requireAdmin: RequireAdmin;
  readonly idempotency: Idempotency;
  readonly changes: Changes;
  readonly storage: Pick<Storage, 'transaction' | 'idempotency'>;
  readonly log: Pick<AuditLog, 'append'>;
  readonly strangers: Pick<StrangerBudget, 'refused'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly node: string;
  /** Tells the operator of a bug. */
  readonly report: (error: unknown, requestId: string) => void;
}

/** The story of every admin request: who, may it, what, do it, answer; and every refusal is told to the log. */
export function createEndpoint<Id extends OperationId>(
  deps: EndpointDeps,
  operation: Operation,
  handler: Handler<Id>,
): Endpoint {
  return async (request, params) => {
    const arrivedAt = deps.clock.now();
    let admin: Admin | undefined;
    try {
      admin = await deps.requireAdmin.authenticate(request);
      deps.requireAdmin.requireScopes(admin, operation.scopes);
      const input = await readInput(operation, request, params, createGiveWay());
      const call = callOf<Id>(input, admin);
      const own = operation.write ? withinOwn(handler, ownOnly(admin, operation.scopes)) : handler;
      if (input.dryRun) return await preview(deps, own, call);
      if (input.idempotencyKey === undefined) return await carryOut(deps, operation, own, call);
      return await deps.idempotency.once(
        principalOf(admin.actor),
        input.idempotencyKey,
        request,
        (remember) => carryOut(deps, operation, own, call, remember),
      );
    } catch (error) {
      return await refuse(deps, request, arrivedAt, admin, error);
    }
  };
}

/** What the handler does, for somebody who may do it only with its own: all else is taken back. */
function withinOwn<Id extends OperationId>(
  handler: Handler<Id>,
  person: ReturnType<typeof ownOnly>,
): Handler<Id> {
  if (person === undefined || handler.kind === 'read') return handler;
  if (handler.kind === 'many') refuseNotOwn('an owner changes one thing of its own at a time');
  return {
    ...handler,
    async run(call, stores, tell) {
      const events: ChangeEvent[] = [];
      const result = await handler.run(call, stores, (event) => {
        events.push(event);
        tell(event);
      });
      await requireOwn(stores, person, events);
      return result;
    },
  };
}

/** Handles may be given out again by who vouches for people: keys of two of them never meet. */
function principalOf({ identity, person }: Actor): string {
  return person === undefined ? identity : JSON.stringify([person.issuer, person.subject]);
}

function callOf<Id extends OperationId>(input: ReadInput, admin: Admin): Call<Id> {
  return {
    params: input.params as ParamsOf<Id>,
    query: input.query as QueryOf<Id>,
    body: input.body as BodyOf<Id>,
    admin,
    requireVersion(version) {
      const tags = input.ifMatch;
      if (tags === undefined || tags[0] === '*' || tags.includes(etagOf(version))) return;
      throw new ProblemError('precondition_failed', { detail: `the present version is ${version}` });
    },
  };
}

async function preview<Id extends OperationId>(
  deps: EndpointDeps,
  handler: Handler<Id>,
  call: Call<Id>,
): Promise<HttpResponse> {
  if (handler.kind === 'read') throw new Error('a read has no dry run');
  if (handler.kind === 'many') {
    const foreseen = await handler.foresee?.(call);
    const changes = await handler.preview(call);
    return jsonResponse(200, { dry_run: true, changes, ...foreseen }, NO_STORE);
  }
  const events = await rehearse(deps.storage, (stores, tell) => handler.run(call, stores, tell));
  const changes = differenceOf(events);
  const foreseen = await handler.foresee?.(call, changes);
  return jsonResponse(200, { dry_run: true, changes, ...foreseen, ...warningsOf(events) }, NO_STORE);
}

async function carryOut<Id extends OperationId>(
  deps: EndpointDeps,
  operation: Operation,
  handler: Handler<Id>,
  call: Call<Id>,
  remember?: Parameters<Parameters<Idempotency['once']>[3]>[0],
): Promise<HttpResponse> {
  if (handler.kind === 'write') {
    return await deps.changes.run(call.admin.actor, async (stores, tell) => {
      const events: ChangeEvent[] = [];
      const result = await handler.run(call, stores, (event) => {
        events.push(event);
        tell(event);
      });
      const response = render(operation, withWarnings(result, events));
      await remember?.(stores, response);
      return response;
    });
  }
  const response = render(operation, await handler.run(call));
  await remember?.(deps.storage, response);
  return response;
}

/** What policies warn of is said where the write is answered. */
function withWarnings<Id extends OperationId>(
  result: Result<Id>,
  events: readonly ChangeEvent[],
): Result<Id> {
  const warned = warningsOf(events);
  return warned.warnings === undefined ? result : { ...result, body: { ...result.body, ...warned } };
}

const NO_STORE = { 'cache-control': 'no-store' } as const;

function render<Id extends OperationId>(operation: Operation, result: Result<Id>): HttpResponse {
  if (result.csv !== undefined) return csvResponse(result.csv.text, result.csv.nextCursor);
  return jsonResponse(operation.status, result.body, {
    ...NO_STORE,
    ...(result.version === undefined ? {} : { etag: etagOf(result.version) }),
    ...(result.location === undefined ? {} : { location: result.location }),
  });
}

/** RFC 4180 §3. */
function csvResponse(text: string, nextCursor: string | null): HttpResponse {
  const next = nextCursor === null ? {} : { 'next-cursor': nextCursor };
  return { status: 200, headers: { ...NO_STORE, 'content-type': CSV_TYPE, ...next }, body: text };
}

const CSV_TYPE = 'text/csv; charset=utf-8';

/** RFC 9110 §8.8.3: a strong validator, for records change only with their version. */
function etagOf(version: number): string {
  return `"${version}"`;
}

async function refuse(
  deps: EndpointDeps,
  request: HttpRequest,
  arrivedAt: number,
  admin: Admin | undefined,
  error: unknown,
): Promise<HttpResponse> {
  if (error instanceof TokenRefused) {
    await deps.strangers.refused(
      refusalEvent(deps, request, { identity: error.claimed }, error.reason),
      error.claimed,
      arrivedAt,
    );
    return problemResponse(error.problem, request.id);
  }
  let problem = problemOf(error, deps.clock.now());
  if (problem === undefined) {
    deps.report(error, request.id);
    problem = new ProblemError('internal_error');
  }
  if (admin !== undefined && problem.code !== 'unavailable') {
    // A refusal needs no leave of the log: nothing was given.
    await deps.log.append(refusalEvent(deps, request, admin.actor, problem.code)).catch(() => undefined);
  }
  return problemResponse(problem, request.id);
}

/** Ids of ours stand in the path as they are; what else a caller wrote there may be anything. */
const OUR_ID = /^[a-z]{3}_[0-9a-z]{20}$/;

function pathTold(path: string): string {
  const parts = path.split('/', 12);
  return parts.map((part) => (OUR_ID.test(part) ? part : outsideText(part))).join('/');
}

function refusalEvent(
  deps: EndpointDeps,
  request: HttpRequest,
  /** What a stranger calls its instance is nobody's word. */
  who: { readonly identity: string | undefined } & Pick<
    Actor,
    'credential' | 'access' | 'instance' | 'person'
  >,
  reason: string,
): AuditEvent {
  return {
    id: newId('evt', deps.random),
    at: new Date(deps.clock.now()).toISOString(),
    type: 'admin.refused',
    outcome: 'refused',
    request_id: request.id,
    identity: who.identity,
    credential: who.credential,
    access: who.access,
    resource: pathTold(request.path),
    method: request.method,
    reason,
    source: request.source,
    instance: who.instance,
    ...personMembers(who.person),
    node: deps.node,
  };
}
