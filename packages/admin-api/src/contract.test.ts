import { expect, test } from 'vitest';
import { document } from './apply.ts';
import { credentialCreate } from './credentials.ts';
import { identityCreate } from './identities.ts';
import { openApiDocument } from './openapi.ts';
import { operationIds, operations } from './operations.ts';
import { PROBLEMS, parseProblem, problemDocument } from './problem.ts';
import { resourceServerCreate } from './resource-servers.ts';

const person = {
  name: 'Payments',
  kind: 'service',
  environment: 'prod',
  purpose: 'takes payments',
  owner: { person: 'Ada' },
  expires_at: '2027-01-01T00:00:00Z',
};
const accepts = (change: object): boolean => identityCreate.safeParse({ ...person, ...change }).success;

test('an identity needs owner, purpose and end', () => {
  expect(identityCreate.parse(person)).toMatchObject({
    state: 'active',
    sensitivity: 1,
    cadence: 'continuous',
  });
  for (const member of ['name', 'kind', 'environment', 'purpose', 'owner', 'expires_at']) {
    const { [member as 'name']: _, ...without } = person;
    expect(identityCreate.safeParse(without).success, member).toBe(false);
  }
});

test('unknown members are refused, also those that mean something to JavaScript', () => {
  expect(accepts({ security_stop: false })).toBe(false);
  expect(accepts({ built_in: true })).toBe(false);
  expect(accepts(JSON.parse('{"__proto__":{"built_in":true}}'))).toBe(false);
  expect(accepts({ owner: { person: 'Ada', admin: true } })).toBe(false);
});

test('text is one line without controls, lone surrogates, overrides or outer spaces', () => {
  for (const name of ['Zahlungs-Dienst №1', '支払い', '😀 pay', 'a', 'x'.repeat(200)]) {
    expect(accepts({ name }), name).toBe(true);
  }
  for (const name of [
    '',
    ' a',
    'a ',
    'a\nb',
    'a\u0000b',
    'a\u007f',
    'a\u0085',
    '\ud800',
    'a\udc00b',
    'a\u202eb',
    'a\u2028b',
    '\u00a0',
    'x'.repeat(201),
    7,
    null,
  ]) {
    expect(accepts({ name }), JSON.stringify(name)).toBe(false);
  }
});

test('a client_id is of its charset and does not pass for something else', () => {
  for (const client_id of ['payments', 'A-b_9', 'x'.repeat(128)]) expect(accepts({ client_id })).toBe(true);
  for (const client_id of [
    '',
    'a b',
    'a/b',
    'é',
    'x'.repeat(129),
    `idn_${'0'.repeat(20)}`,
    'countersign',
    'a\n',
  ]) {
    expect(accepts({ client_id }), client_id).toBe(false);
  }
});

test('an instant is RFC 3339 with its zone', () => {
  for (const expires_at of ['2027-01-01T00:00:00.123Z', '2027-01-01T00:00:00+02:00']) {
    expect(accepts({ expires_at })).toBe(true);
  }
  for (const expires_at of ['2027-01-01', '2027-01-01T00:00:00', '2027-02-30T00:00:00Z', 1_800_000_000, '']) {
    expect(accepts({ expires_at }), String(expires_at)).toBe(false);
  }
});

test('each credential type has its members and no private key', () => {
  const ok = (value: unknown): boolean => credentialCreate.safeParse(value).success;
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(ok({ type: 'client_secret' })).toBe(true);
  expect(ok({ type: 'client_secret', secret: 'mine' })).toBe(false);
  expect(ok({ type: 'private_key_jwt', jwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' } })).toBe(true);
  expect(ok({ type: 'private_key_jwt', jwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' } })).toBe(
    false,
  );
  expect(ok({ type: 'private_key_jwt' })).toBe(false);
  expect(ok({ type: 'tls_client_auth', san_dns: 'a.test', ca: pem })).toBe(true);
  expect(ok({ type: 'tls_client_auth', san_dns: 'a.test' })).toBe(false);
  expect(ok({ type: 'tls_client_auth', san_dns: 'a.test', san_ip: '10.0.0.1', ca: pem })).toBe(false);
  expect(ok({ type: 'spiffe', spiffe_id: 'spiffe://td.test/pay' })).toBe(true);
  expect(ok({ type: 'password' })).toBe(false);
});

test('a resource server has the settings of its tokens filled in', () => {
  expect(
    resourceServerCreate.parse({
      identifier: 'https://fraud.test',
      name: 'Fraud',
      scopes: [{ name: 'fraud:read' }],
    }),
  ).toMatchObject({
    token: { format: 'jwt', signing_alg: 'ES256', typ: 'at+jwt' },
    sender_constraint: 'none',
    scopes: [{ name: 'fraud:read', sensitivity: 1 }],
  });
  for (const identifier of ['fraud', '/x', 'https://a/#f', 'https://a b', '']) {
    const result = resourceServerCreate.safeParse({ identifier, name: 'F', scopes: [{ name: 'a' }] });
    expect(result.success, identifier).toBe(false);
  }
  const twice = { identifier: 'https://f.test', name: 'F', scopes: [{ name: 'a' }, { name: 'a' }] };
  expect(resourceServerCreate.safeParse(twice).success).toBe(false);
});

test('a document has exactly one end', () => {
  const spec = { kind: 'job', environment: 'dev', purpose: 'p', owner: { person: 'Ada' } };
  const doc = (end: object) =>
    document.safeParse({
      apiVersion: 'countersign/v1',
      kind: 'Identity',
      metadata: { name: 'a' },
      spec: { ...spec, ...end },
    }).success;
  expect(doc({ expires_in: '90d' })).toBe(true);
  expect(doc({ expires_at: '2027-01-01T00:00:00Z' })).toBe(true);
  expect(doc({})).toBe(false);
  expect(doc({ expires_in: '90d', expires_at: '2027-01-01T00:00:00Z' })).toBe(false);
  expect(doc({ expires_in: '90 days' })).toBe(false);
});

/** They are about the caller alone: whoever may be here may ask who it is, and leave. */
const OF_THE_CALLER: ReadonlySet<string> = new Set(['me.get', 'me.sign-out']);

test('every operation asks for a scope, and every path parameter has its schema', () => {
  for (const id of operationIds) {
    const operation = operations[id];
    expect(operation.scopes.length > 0, id).toBe(!OF_THE_CALLER.has(id));
    const named = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(Object.keys(operation.params.shape), id).toEqual(named);
    if (operation.method === 'PATCH' || operation.method === 'DELETE') {
      expect(operation.ifMatch, id).toBe('required');
    }
  }
});

test('the OpenAPI document names every operation once and points nowhere that is not there', () => {
  const openapi = openApiDocument({ issuer: 'https://authority.test', version: '1' });
  const text = JSON.stringify(openapi);
  const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((match) => match[1]);
  expect(ids.sort()).toEqual([...operationIds].sort());
  const schemas = (openapi as { components: { schemas: object } }).components.schemas;
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    expect(schemas).toHaveProperty(name as string);
  }
  expect(text).not.toContain('$defs');
});

test('a problem document survives the wire, a foreign one is none', () => {
  for (const code of Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]) {
    const document = problemDocument(code, { detail: 'd' });
    expect(parseProblem(JSON.parse(JSON.stringify(document)))).toEqual(document);
  }
  expect(parseProblem({ type: 'about:blank', status: 404 })).toBeUndefined();
  expect(parseProblem({ type: 'https://countersign.dev/problems/constructor' })).toBeUndefined();
  expect(parseProblem(null)).toBeUndefined();
});

test('what people write for people holds no secret, for it stands in the audit log for good', () => {
  const secret = `csk_AAAAAAAA_${'a'.repeat(38)}`;
  for (const said of [secret, `was ${secret}, see ticket 7`]) expect(accepts({ purpose: said })).toBe(false);
  expect(accepts({ purpose: 'csk_AAAAAAAA, the public part of a secret, may be named' })).toBe(true);
  const credential = { type: 'client_secret', label: secret };
  expect(credentialCreate.safeParse(credential).success).toBe(false);
  expect(operations['identities.suspend'].body?.safeParse({ reason: secret }).success).toBe(false);
});
