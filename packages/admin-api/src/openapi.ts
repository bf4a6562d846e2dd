// The contract as OpenAPI 3.1, whose schema dialect is JSON Schema 2020-12.
import { z } from 'zod';
import type { Operation } from './contract.ts';
import { difference } from './difference.ts';
import { warned } from './policy-warnings.ts';
import { type OperationId, operationIds, operations } from './operations.ts';
import { PROBLEMS, type ProblemCode } from './problem.ts';
import { ADMIN_SCOPES, PEOPLE_SCOPES } from './scopes.ts';

type Json = { [member: string]: unknown };

/** Parameters of the document that depend on where it is served. */
export interface OpenApiOptions {
  readonly issuer: string;
  readonly version: string;
}

/** The OpenAPI 3.1 document of the whole admin API. */
export function openApiDocument(options: OpenApiOptions): Json {
  const schemas: Json = { Problem: problemSchema() };
  const paths: { [path: string]: Json } = {};
  for (const id of operationIds) {
    const operation: Operation = operations[id];
    paths[operation.path] ??= {};
    (paths[operation.path] as Json)[operation.method.toLowerCase()] = describe(id, operation, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countersign admin API',
      version: options.version,
      summary:
        'Identities, credentials, resource servers, access, keys, cut-offs and the audit log of machines',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.issuer }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        oauth: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: `${options.issuer}/oauth/token`,
              scopes: Object.fromEntries(
                Object.entries({ ...ADMIN_SCOPES, ...PEOPLE_SCOPES }).map(([name, { description }]) => [
                  name,
                  description,
                ]),
              ),
            },
          },
        },
      },
    },
  };
}

function describe(id: OperationId, operation: Operation, schemas: Json): Json {
  const shown = toSchema(operation.response, schemas);
  const answer = operation.write ? { allOf: [shown, toSchema(warned, schemas)] } : shown;
  const success = operation.write ? { oneOf: [answer, toSchema(difference, schemas)] } : answer;
  return {
    operationId: id,
    summary: operation.summary,
    tags: [id.slice(0, id.indexOf('.'))],
    security: [{ oauth: operation.scopes }],
    parameters: parameters(operation, schemas),
    ...(operation.body === undefined ? {} : { requestBody: requestBody(operation, operation.body, schemas) }),
    responses: {
      [operation.status]: {
        description: operation.status === 201 ? 'Created' : 'OK',
        headers: { 'Request-Id': { schema: { type: 'string' } }, ETag: { schema: { type: 'string' } } },
        content: { 'application/json': { schema: operation.status === 201 ? answer : success } },
      },
      ...(operation.status === 201
        ? {
            200: {
              description: 'What a dry run would change',
              content: { 'application/json': { schema: toSchema(difference, schemas) } },
            },
          }
        : {}),
      ...problemResponses(operation),
    },
  };
}

function requestBody(operation: Operation, body: z.ZodType, schemas: Json): Json {
  const content = { schema: toSchema(body, schemas) };
  return {
    required: true,
    content:
      operation.method === 'PATCH'
        ? { 'application/merge-patch+json': content, 'application/json': content }
        : { 'application/json': content },
  };
}

function parameters(operation: Operation, schemas: Json): Json[] {
  const header = (name: string, description: string, required: boolean): Json => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string', maxLength: 200 },
  });
  const list = [
    ...membersOf(operation.params, 'path', schemas),
    ...membersOf(operation.query, 'query', schemas),
  ];
  if (operation.write) {
    list.push({
      name: 'dry_run',
      in: 'query',
      required: false,
      description: 'Change nothing; answer what would change',
      schema: { type: 'string', enum: ['true', 'false'] },
    });
    list.push(
      header('Idempotency-Key', 'The same key and request again get the same answer for 24 hours', false),
    );
  }
  if (operation.ifMatch !== 'none') {
    list.push(header('If-Match', 'ETag of the version to change, or *', operation.ifMatch === 'required'));
  }
  return list;
}

function membersOf(object: z.ZodObject, place: 'path' | 'query', schemas: Json): Json[] {
  return Object.entries(object.shape).map(([name, member]) => {
    const { description, ...schema } = toSchema(member as z.ZodType, schemas);
    return {
      name,
      in: place,
      required: place === 'path' || !z.safeParse(member as z.ZodType, undefined).success,
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

function problemResponses(operation: Operation): Json {
  const codes: ProblemCode[] = ['malformed_request', 'token_required', 'insufficient_scope', 'unavailable'];
  if (operation.path.includes('{')) codes.push('not_found');
  if (operation.write) codes.push('already_exists', 'unknown_reference');
  if (operation.body !== undefined) codes.push('payload_too_large', 'unsupported_media_type');
  if (operation.ifMatch !== 'none') codes.push('precondition_failed');
  if (operation.ifMatch === 'required') codes.push('precondition_required');
  return Object.fromEntries(
    [...new Set(codes.map((code) => PROBLEMS[code].status))].map((status) => [
      status,
      {
        description: Object.entries(PROBLEMS)
          .filter(([, problem]) => problem.status === status)
          .map(([code]) => code)
          .join(' · '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function problemSchema(): Json {
  return {
    type: 'object',
    description: 'RFC 9457',
    required: ['type', 'code', 'title', 'status'],
    properties: {
      type: { type: 'string', format: 'uri' },
      code: { type: 'string', enum: Object.keys(PROBLEMS) },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      request_id: { type: 'string' },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['pointer', 'detail'],
          properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
        },
      },
    },
  };
}

/** Schemas with an id become components; the rest stays where it is used. */
function toSchema(schema: z.ZodType, schemas: Json): Json {
  const { $schema: _, $defs, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Json;
  for (const [name, definition] of Object.entries(($defs ?? {}) as Json)) {
    const { id: __, ...content } = definition as Json;
    schemas[name] ??= pointToComponents(content);
  }
  return pointToComponents(rest) as Json;
}

function pointToComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointToComponents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === '$ref' && typeof member === 'string'
        ? member.replace('#/$defs/', '#/components/schemas/')
        : pointToComponents(member),
    ]),
  );
}
