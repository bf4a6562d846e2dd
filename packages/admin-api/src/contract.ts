import { z } from 'zod';
import type { Permission } from './scopes.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Whether the request names the version it is about (`If-Match`): it must, it may, or there is no version. */
export type IfMatch = 'required' | 'optional' | 'none';

/**
 * One operation of the admin API. The table of them (operations.ts) is the only source of routes, validation,
 * permissions, the OpenAPI document and the typed client.
 */
export interface Operation<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType | undefined = z.ZodType | undefined,
  Response extends z.ZodType = z.ZodType,
> {
  readonly method: Method;
  /** From the issuer's root, with `{name}` segments. */
  readonly path: string;
  readonly summary: string;
  /** All of these are needed. One that only people can hold (`PEOPLE_SCOPES`) makes machines refused. */
  readonly scopes: readonly Permission[];
  readonly params: Params;
  /** Without `dry_run`, which every write has. */
  readonly query: Query;
  readonly body: Body;
  readonly response: Response;
  readonly status: 200 | 201;
  /** Changes something: takes `dry_run` and `Idempotency-Key`. */
  readonly write: boolean;
  readonly ifMatch: IfMatch;
  /** Takes away what may be in use: a careful client shows the dry run first. */
  readonly destructive: boolean;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Values in a body, objects and arrays counted. */
  readonly bodyValues: number;
  /** The array of the body that may be so long that it is read piece by piece; undefined: there is none. */
  readonly bodyList: BodyList | undefined;
}

export interface BodyList {
  readonly member: string;
  readonly most: number;
}

/** Nesting of a body, the outermost object counted. */
export const BODY_DEPTH = 16;
const BODY_VALUES = 50_000;
const BODY_LIMIT = 262_144;

type Empty = z.ZodObject<Record<never, never>>;
const EMPTY: Empty = z.strictObject({});

interface Spec<P, Q, B, R> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly scopes: readonly Permission[];
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly response: R;
  readonly status?: 200 | 201;
  readonly ifMatch?: IfMatch;
  readonly destructive?: boolean;
  readonly bodyLimit?: number;
  readonly bodyValues?: number;
  readonly bodyList?: BodyList;
}

/** Fills in what follows from the method: writes are all but GET; PATCH and DELETE name the version they change. */
export function operation<
  R extends z.ZodType,
  P extends z.ZodObject = Empty,
  Q extends z.ZodObject = Empty,
  B extends z.ZodType | undefined = undefined,
>(spec: Spec<P, Q, B, R>): Operation<P, Q, B, R> {
  const changesVersion = spec.method === 'PATCH' || spec.method === 'DELETE';
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    scopes: spec.scopes,
    params: spec.params ?? (EMPTY as z.ZodObject as P),
    query: spec.query ?? (EMPTY as z.ZodObject as Q),
    body: spec.body as B,
    response: spec.response,
    status: spec.status ?? 200,
    write: spec.method !== 'GET',
    ifMatch: spec.ifMatch ?? (changesVersion ? 'required' : 'none'),
    destructive: spec.destructive ?? spec.method === 'DELETE',
    bodyLimit: spec.bodyLimit ?? BODY_LIMIT,
    bodyValues: spec.bodyValues ?? BODY_VALUES,
    bodyList: spec.bodyList,
  };
}
