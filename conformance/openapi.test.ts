import { beforeAll, describe, expect, test } from 'vitest';
import { jsonOf, send } from './wire/exchange.ts';
import { currentTarget } from './wire/target.ts';

// OpenAPI 3.1: the description is served, and it describes what is there.
const target = currentTarget();

const ROUTES = [
  'POST /v1/identities',
  'GET /v1/identities',
  'GET /v1/identities/{id}',
  'PATCH /v1/identities/{id}',
  'POST /v1/identities/{id}/credentials',
  'POST /v1/identities/{id}/suspend',
  'POST /v1/identities/{id}/resume',
  'POST /v1/identities/{id}/activate',
  'POST /v1/identities/{id}/decommission',
  'GET /v1/credentials',
  'DELETE /v1/credentials/{id}',
  'POST /v1/resource-servers',
  'GET /v1/resource-servers',
  'PATCH /v1/resource-servers/{id}',
  'DELETE /v1/resource-servers/{id}',
  'POST /v1/access',
  'GET /v1/access',
  'PATCH /v1/access/{id}',
  'DELETE /v1/access/{id}',
  'POST /v1/cutoffs',
];

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly described: Record<string, unknown>;
}

describe.runIf(target.admin !== undefined)('the OpenAPI document (needs the admin API)', () => {
  let document: Record<string, unknown>;
  let operations: Operation[];

  beforeAll(async () => {
    const answer = await send(`${target.issuer}/openapi.json`, { ca: target.ca });
    expect(answer.status).toBe(200);
    document = jsonOf(answer);
    const paths = document['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method]) => /^(get|post|put|patch|delete)$/.test(method))
        .map(([method, described]) => ({ method: method.toUpperCase(), path: fullPath(path), described })),
    );
  });

  /** With the path of the server entry in front, and every parameter called {id}. */
  function fullPath(path: string): string {
    const servers = (document['servers'] ?? []) as { url: string }[];
    const base =
      servers[0] === undefined ? '' : new URL(servers[0].url, target.issuer).pathname.replace(/\/$/, '');
    return `${path.startsWith('/v1') ? '' : base}${path}`.replaceAll(/\{[^}]+\}/g, '{id}');
  }

  test('it is OpenAPI 3.1', () => {
    expect(document['openapi']).toMatch(/^3\.1\.\d+$/);
    expect(document['info']).toMatchObject({ title: expect.any(String), version: expect.any(String) });
  });

  test.each(ROUTES)('it lists %s', (route) => {
    expect(operations.map(({ method, path }) => `${method} ${path}`)).toContain(route);
  });

  test('operation ids are there and differ', () => {
    const ids = operations.map(({ described }) => described['operationId']);
    for (const id of ids) expect(id).toEqual(expect.any(String));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('every listed admin route is there and asks for a token', async () => {
    for (const { method, path } of operations.filter((each) => each.path.startsWith('/v1'))) {
      const answer = await send(`${target.issuer}${path.replaceAll('{id}', 'x')}`, {
        method,
        ca: target.ca,
        ...(method === 'GET' || method === 'DELETE'
          ? {}
          : { headers: [['Content-Type', 'application/json']] as const, body: '{}' }),
      });
      expect(answer.status, `${method} ${path}`).toBe(401);
    }
  });

  test('every $ref leads somewhere', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      (match) => match[1] as string,
    );
    for (const ref of new Set(refs)) {
      expect(ref.startsWith('#/'), ref).toBe(true);
      const found = ref
        .slice(2)
        .split('/')
        .reduce<unknown>(
          (at, name) => (at as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/')],
          document,
        );
      expect(found, ref).toBeDefined();
    }
  });
});
