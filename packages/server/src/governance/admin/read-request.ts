// Reading a request of the admin API as strictly as its contract says: JSON (RFC 8259), merge patch (RFC 7396 §4 for the
// media type), preconditions (RFC 9110 §13.1.1, RFC 6585 §3).
import { BODY_DEPTH, type BodyList, type FieldError, type Operation } from '@countersign/admin-api';
import { type FormFault, type JsonFault, parseForm, parseBoundedJsonObject } from '@countersign/protocol';
import { type HttpRequest, header, singleHeader } from '../../http/request.ts';
import type { GiveWay } from '../../telemetry/pacer.ts';
import { ProblemError } from './problem.ts';

/** What of zod is needed here: its faults, in the words of the contract, which never repeat the input. */
interface Schema {
  safeParse(
    value: unknown,
  ): { success: true; data: unknown } | { success: false; error: { issues: readonly Issue[] } };
}
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

export interface ReadInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly dryRun: boolean;
  /** ETags, one of which must be the present one; `*` for any. Undefined: no condition. */
  readonly ifMatch: readonly string[] | undefined;
  readonly idempotencyKey: string | undefined;
}

/** Throws a `ProblemError` that says what is wrong. Between pieces of a long body `giveWay` is called. */
export async function readInput(
  operation: Operation,
  request: HttpRequest,
  params: Readonly<Record<string, string>>,
  giveWay: GiveWay,
): Promise<ReadInput> {
  const { dryRun, query } = readQuery(operation, request.query);
  return {
    params: readParams(operation, params),
    query,
    dryRun,
    ifMatch: readIfMatch(operation, request),
    idempotencyKey: operation.write ? readIdempotencyKey(request) : undefined,
    body: await readBody(operation, request, giveWay),
  };
}

/** A path that names nothing that could exist is not found, whatever its shape. */
function readParams(operation: Operation, params: Readonly<Record<string, string>>): unknown {
  const result = (operation.params as Schema).safeParse(params);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ProblemError('not_found', {
      detail: `nothing is called so: it ${issue?.message ?? 'has another shape'}`,
    });
  }
  return result.data;
}

function readQuery(operation: Operation, text: string): { dryRun: boolean; query: unknown } {
  const parsed = parseForm(Buffer.from(text, 'utf8'), { repeatable: [] });
  if (!parsed.ok) {
    throw new ProblemError('malformed_request', { detail: QUERY_FAULT[parsed.fault] });
  }
  const { form } = parsed;
  const values = new Map(form.names().map((name) => [name, form.get(name)]));
  const dryRun = operation.write ? values.get('dry_run') : undefined;
  if (operation.write) values.delete('dry_run');
  if (dryRun !== undefined && dryRun !== 'true' && dryRun !== 'false') {
    throw new ProblemError('malformed_request', {
      errors: [{ pointer: '?dry_run', detail: 'must be true or false' }],
    });
  }
  const result = (operation.query as Schema).safeParse(Object.fromEntries(values));
  if (!result.success) {
    throw new ProblemError('malformed_request', {
      errors: fieldErrors(result.error.issues, (path) => `?${String(path[0] ?? '')}`),
    });
  }
  return { dryRun: dryRun === 'true', query: result.data };
}

const QUERY_FAULT: { readonly [fault in FormFault]: string } = {
  bad_percent_encoding: 'the query has a % that two hexadecimal digits have to follow',
  bad_utf8: 'the query is not UTF-8',
  duplicate_parameter: 'the query has a parameter twice',
  empty_name: 'the query has a parameter without a name',
  name_too_long: 'the query has a parameter whose name is too long',
  nul: 'the query must not hold NUL',
  too_many_parameters: 'the query has too many parameters',
};

const BODY_FAULT: { readonly [fault in JsonFault]: string } = {
  bad_utf8: 'the body is not UTF-8',
  duplicate_member: 'the body has an object with the same member twice',
  lone_surrogate: 'the body has half of a surrogate pair',
  not_an_object: 'the body must be a JSON object, {…}',
  not_json: 'the body is not JSON',
  too_deep: `the body nests deeper than ${BODY_DEPTH} levels`,
  too_long: 'the body is too long',
  too_many_values: 'the body holds too many values',
};

const JSON_TYPES = ['application/json'];
const PATCH_TYPES = ['application/merge-patch+json', 'application/json'];

async function readBody(operation: Operation, request: HttpRequest, giveWay: GiveWay): Promise<unknown> {
  if (operation.body === undefined) {
    if (request.body.length > 0) {
      throw new ProblemError('malformed_request', { detail: 'this request takes no body' });
    }
    return undefined;
  }
  if (request.body.length > operation.bodyLimit) throw new ProblemError('payload_too_large');
  // No body at all is as good as an object without members: what is missing is then named.
  const empty = request.body.length === 0;
  if (!empty) requireMediaType(request, operation.method === 'PATCH' ? PATCH_TYPES : JSON_TYPES);
  const parsed = empty
    ? ({ ok: true, value: {} } as const)
    : parseBoundedJsonObject(request.body, {
        maxDepth: BODY_DEPTH,
        maxBytes: operation.bodyLimit,
        maxValues: operation.bodyValues,
      });
  if (!parsed.ok) throw new ProblemError('malformed_request', { detail: BODY_FAULT[parsed.fault] });
  const list = parsed.value[operation.bodyList?.member ?? ''];
  if (operation.bodyList !== undefined && Array.isArray(list) && list.length > AT_ONCE) {
    return await readLongBody(operation.body, operation.bodyList, parsed.value, list, giveWay);
  }
  return checked(operation.body, parsed.value, pointerOf);
}

function checked(
  schema: Schema,
  value: unknown,
  pointer: (path: readonly PropertyKey[]) => string,
): Readonly<Record<string, unknown>> {
  const result = schema.safeParse(value);
  if (!result.success) {
    throw new ProblemError('validation_failed', { errors: fieldErrors(result.error.issues, pointer) });
  }
  return result.data as Readonly<Record<string, unknown>>;
}

/** Items of a long list that are read without a break. */
const AT_ONCE = 100;

/** As if it were read at once, except that what is wrong is named as far as the first piece in which something is. */
async function readLongBody(
  schema: Schema,
  { member, most }: BodyList,
  value: Readonly<Record<string, unknown>>,
  list: readonly unknown[],
  giveWay: GiveWay,
): Promise<unknown> {
  if (list.length > most) {
    const detail = `must have at most ${most} items`;
    throw new ProblemError('validation_failed', { errors: [{ pointer: `/${member}`, detail }] });
  }
  const items: unknown[] = [];
  let whole: Readonly<Record<string, unknown>> = {};
  for (let from = 0; from < list.length; from += AT_ONCE) {
    await giveWay();
    whole = checked(schema, { ...value, [member]: list.slice(from, from + AT_ONCE) }, (path) => {
      const [first, index, ...rest] = path;
      return pointerOf(first === member && typeof index === 'number' ? [first, from + index, ...rest] : path);
    });
    for (const item of whole[member] as readonly unknown[]) items.push(item);
  }
  return { ...whole, [member]: items };
}

function requireMediaType(request: HttpRequest, expected: readonly string[]): void {
  const [type = '', ...parameters] = (singleHeader(request, 'content-type') ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  // RFC 8259 §8.1: JSON is UTF-8; saying so is harmless.
  if (expected.includes(type) && parameters.every((each) => /^charset="?utf-8"?$/.test(each))) return;
  throw new ProblemError('unsupported_media_type', { detail: `send ${expected.join(' or ')}` });
}

const ETAG_LIST = /^(?:W\/)?"[\x21\x23-\x7e]*"(?: *, *(?:W\/)?"[\x21\x23-\x7e]*")*$/;

/** RFC 6585 §3: a change that names no version could undo somebody else's. */
function readIfMatch(operation: Operation, request: HttpRequest): readonly string[] | undefined {
  if (operation.ifMatch === 'none') return undefined;
  const reading = header(request, 'if-match');
  if (reading.kind === 'absent') {
    if (operation.ifMatch === 'required') throw new ProblemError('precondition_required');
    return undefined;
  }
  const value = reading.kind === 'one' ? reading.value.trim() : '';
  if (value === '*') return ['*'];
  if (value.length > 1000 || !ETAG_LIST.test(value)) {
    throw new ProblemError('malformed_request', { detail: 'If-Match is not a list of entity tags' });
  }
  return value.split(',').map((each) => each.trim());
}

function readIdempotencyKey(request: HttpRequest): string | undefined {
  const reading = header(request, 'idempotency-key');
  if (reading.kind === 'absent') return undefined;
  if (reading.kind === 'many' || !/^[\x21-\x7e]{1,200}$/.test(reading.value)) {
    throw new ProblemError('malformed_request', {
      detail: 'Idempotency-Key is sent once, with 1 to 200 printable ASCII characters',
    });
  }
  return reading.value;
}

const MOST_ERRORS = 20;
const MOST_CHARS = 300;

export function fieldErrors(
  issues: readonly Issue[],
  pointer: (path: readonly PropertyKey[]) => string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    if (errors.length >= MOST_ERRORS) break;
    // Unknown members are named one by one, so that a typing error is found at once.
    const unknown = issue.code === 'unrecognized_keys' ? (issue.keys ?? []) : undefined;
    if (unknown === undefined) errors.push({ pointer: pointer(issue.path), detail: issue.message });
    else {
      for (const key of unknown.slice(0, MOST_ERRORS))
        errors.push({ pointer: pointer([...issue.path, key]), detail: 'is not known here' });
    }
  }
  return errors.slice(0, MOST_ERRORS).map(({ pointer: where, detail }) => ({
    pointer: where.slice(0, MOST_CHARS),
    detail: detail.slice(0, MOST_CHARS),
  }));
}

/** RFC 6901 §3. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
