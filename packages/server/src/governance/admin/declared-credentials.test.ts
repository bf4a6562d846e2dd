import { generateKeyPairSync } from 'node:crypto';
import type { DocumentInput } from '@countersign/admin-api';
import { generateSecret } from '@countersign/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { clientAuthority } from '../../../test/client-authority.ts';
import { testCertificate } from '../../../test/client-certificate.ts';

const DAY = 86_400_000;
const FRAUD = 'https://fraud.test';
const FORGE = 'https://forge.test';
const jwkOf = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const bytes = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));
const newKey = (): string => generateSecret('cak', bytes).secret;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  const ends = new Date(START + 200 * DAY).toISOString();
  await made('/v1/identities', identityBody('a', { client_id: 'a', expires_at: ends }));
  await made('/v1/resource-servers', resourceServerBody(FRAUD, ['read', 'write']));
  await made('/v1/trusted-issuers', { name: 'forge', issuer: FORGE });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function made(path: string, body: unknown): Promise<Answer> {
  const answer = await authority.call('POST', path, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer;
}

/** One of each type that can be had, and another proof of the same type that would take its place. */
const certificate = (): string =>
  testCertificate({ notBefore: START - DAY, notAfter: START + 100 * DAY }).pem;
const TYPES: Record<string, () => readonly [object, object]> = {
  client_secret: () => [{}, { secret: generateSecret('csk', bytes).secret }],
  api_key: () => [
    { resource_server: FRAUD, scopes: ['read', 'write'] },
    { resource_server: FRAUD, scopes: ['read'] },
  ],
  private_key_jwt: () => [{ jwk: jwkOf() }, { jwk: jwkOf() }],
  tls_client_auth: () => {
    const { pem } = clientAuthority(START);
    return [
      { san_dns: 'a.test', ca: pem },
      { san_dns: 'b.test', ca: pem },
    ];
  },
  self_signed_tls_client_auth: () => [{ certificate: certificate() }, { certificate: certificate() }],
  federated: () => [
    { trusted_issuer: FORGE, conditions: { sub: 'repo:1', ref: 'main' } },
    { trusted_issuer: FORGE, conditions: { sub: 'repo:2' } },
  ],
};

function documentOf(type: string, members: object, name = 'it'): DocumentInput {
  return {
    apiVersion: 'countersign/v1',
    kind: 'Credential',
    metadata: { name },
    spec: { identity: 'a', type, ...members },
  } as unknown as DocumentInput;
}

async function apply(...documents: readonly DocumentInput[]): Promise<readonly string[]> {
  const { status, body, text } = await authority.call('POST', '/v1/apply', { body: { documents } });
  expect(status, text).toBe(200);
  return body.changes.map(({ op }: { op: string }) => op);
}

test.each(Object.entries(TYPES))(
  '%s: made, left alone, replaced by another, pruned',
  async (type, proofs) => {
    const [one, other] = proofs();
    expect(await apply(documentOf(type, one))).toEqual(['create']);
    expect(await apply(documentOf(type, one))).toEqual([]);
    expect(await apply(documentOf(type, other))).toEqual(['create', 'delete']);
    expect(await apply(documentOf(type, other))).toEqual([]);
    const rest = { documents: [documentOf('client_secret', {}, 'another')], prune: true };
    const { body } = await authority.call('POST', '/v1/apply', { body: rest });
    expect(body.changes.map(({ op, name }: { op: string; name: string }) => `${op} ${name}`)).toEqual([
      'create a/another',
      'delete a/it',
    ]);
  },
);

test('one of each type by the API: the export is taken without a change, here and where its secrets are new', async () => {
  for (const [type, proofs] of Object.entries(TYPES)) {
    await made('/v1/identities/a/credentials', { type, label: type, ...proofs()[0] });
  }
  await made('/v1/identities/a/credentials', {
    type: 'private_key_jwt',
    label: 'uri',
    jwks_uri: 'https://a.test/keys',
  });
  await made('/v1/identities/a/credentials', { type: 'api_key', label: 'unlimited' });
  const exported = await authority.call('GET', '/v1/export');
  const credentials = exported.body.documents.filter(({ kind }: { kind: string }) => kind === 'Credential');
  expect(credentials.map((each: DocumentInput) => each.metadata.name).toSorted()).toEqual(
    [...Object.keys(TYPES), 'unlimited', 'uri'].toSorted(),
  );
  expect(exported.text).not.toMatch(/csk_|cak_|digest/);
  const plan = { documents: exported.body.documents, prune: true };
  expect((await authority.call('POST', '/v1/apply?dry_run=true', { body: plan })).body.changes).toEqual([]);
  expect((await authority.call('POST', '/v1/apply', { body: plan })).body).toEqual({
    changes: [],
    secrets: [],
  });
  expect((await authority.call('GET', '/v1/export')).body).toEqual(exported.body);
});

test('an API key that exists outside is taken as it is; one that is made is told once', async () => {
  const secret = newKey();
  expect(await apply(documentOf('api_key', { secret }))).toEqual(['create']);
  expect(await apply(documentOf('api_key', { secret }))).toEqual([]);
  const publicId = secret.split('_')[1] as string;
  expect((await authority.storage.credentials.byPublicId(publicId))?.label).toBe('it');
  const documents = [documentOf('api_key', {}, 'other')];
  const { body } = await authority.call('POST', '/v1/apply', { body: { documents } });
  expect(body.secrets).toEqual([{ name: 'other', identity: 'a', secret: expect.stringMatching(/^cak_/) }]);
});

test('a secret of the wrong kind, an unknown API and an unknown issuer are refused with their place', async () => {
  const pointer = async (type: string, members: object): Promise<unknown> => {
    const documents = [documentOf(type, members)];
    const { status, body } = await authority.call('POST', '/v1/apply', { body: { documents } });
    return [status, body.errors[0].pointer];
  };
  expect(await pointer('client_secret', { secret: newKey() })).toEqual([400, '/documents/0/spec/secret']);
  expect(await pointer('api_key', { resource_server: 'https://no.test' })).toEqual([
    422,
    '/documents/0/spec/resource_server',
  ]);
  expect(await pointer('federated', { trusted_issuer: 'https://no.test', conditions: { sub: 'x' } })).toEqual(
    [422, '/documents/0/spec/trusted_issuer'],
  );
});

test('what an environment does not take is not declared either', async () => {
  const body = identityBody('p', { client_id: 'p', environment: 'prod' });
  await made('/v1/identities', body);
  const document = documentOf('api_key', { identity: 'p' });
  const answer = await authority.call('POST', '/v1/apply', { body: { documents: [document] } });
  expect([answer.status, answer.body.code]).toEqual([403, 'refused_by_policy']);
});

test('a document that tells of the first key does not undo what was rotated since', async () => {
  const first = documentOf('private_key_jwt', { jwk: jwkOf() });
  const live = async (): Promise<{ id: string }[]> =>
    (await authority.call('GET', '/v1/identities/a/credentials?state=active')).body.items;
  await apply(first);
  const [declared] = await live();
  const { body: second } = await made(`/v1/credentials/${declared?.id}/rotate`, { jwk: jwkOf() });
  expect(await apply(first)).toEqual([]);
  const { body: third } = await made(`/v1/credentials/${second.id}/rotate`, { jwk: jwkOf() });
  authority.clock.advance(60 * DAY);
  expect(await apply(first)).toEqual([]);
  // What is declared anew takes its place, as before.
  expect(await apply(documentOf('private_key_jwt', { jwk: jwkOf() }))).toEqual(['create', 'delete']);
  expect((await live()).map(({ id }) => id)).not.toContain(third.id);
});
