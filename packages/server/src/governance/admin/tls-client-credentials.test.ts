// Credentials of type tls_client_auth: RFC 8705 §2.1.2, and the revocation lists that come with them.
import { createHash } from 'node:crypto';
import { type DocumentInput, operations } from '@countersign/admin-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority, START } from '../../../test/authority.ts';
import { clientAuthority } from '../../../test/client-authority.ts';

const DAY = 86_400_000;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  const body = identityBody('a', { client_id: 'a', expires_at: new Date(START + 365 * DAY).toISOString() });
  await authority.call('POST', '/v1/identities', { body });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const add = (body: object): Promise<Answer> =>
  authority.call('POST', '/v1/identities/a/credentials', { body });

describe('certificates of an authority', () => {
  const clients = clientAuthority(START);
  const tls = (change: object = {}): object => ({
    type: 'tls_client_auth',
    subject_dn: 'CN=payments,O=Example',
    ca: clients.pem,
    ...change,
  });

  test('are registered by a name and who issues them; the answer says which, and no PEM', async () => {
    const answer = await add(tls({ crl: clients.crl([]) }));
    expect(answer.status, answer.text).toBe(201);
    expect(operations['credentials.create'].response.parse(answer.body)).toEqual(answer.body);
    expect(answer.body).toMatchObject({
      type: 'tls_client_auth',
      subject_dn: 'CN=payments,O=Example',
      label: 'tls_client_auth CN=payments,O=Example',
      public_id: null,
      ca_thumbprints: [createHash('sha256').update(clients.der).digest('base64url')],
      crl_thumbprints: [expect.stringMatching(/^[\w-]{43}$/)],
    });
    expect(answer.text).not.toContain('BEGIN');
    expect(Date.parse(answer.body.expires_at)).toBe(START + 365 * DAY);
  });

  test.each<[string, () => object, string]>([
    ['a subject in the order of openssl', () => tls({ subject_dn: 'O = Example, CN = a' }), '/subject_dn'],
    ['a subject with slashes', () => tls({ subject_dn: '/CN=payments/O=Example' }), '/subject_dn'],
    ['a wildcard', () => tls({ subject_dn: undefined, san_dns: '*.example' }), '/san_dns'],
    ['two subjects', () => tls({ san_dns: 'a.example' }), '/subject_dn'],
    ['none', () => tls({ subject_dn: undefined }), '/subject_dn'],
    ['a leaf as authority', () => tls({ ca: clients.issue().pem }), '/ca'],
    ['rubbish as authority', () => tls({ ca: clients.pem.replace('MII', 'MIJ') }), '/ca'],
    ['17 authorities', () => tls({ ca: clients.pem.repeat(17) }), '/ca'],
    [
      'a list of its authority that another signed',
      () => tls({ crl: clientAuthority(START).crl([]) }),
      '/crl',
    ],
    ['an outdated list', () => tls({ crl: clients.crl([], START - 1000) }), '/crl'],
    ['a certificate as list', () => tls({ crl: clients.pem }), '/crl'],
  ])('are not registered with %s', async (_, body, pointer) => {
    const answer = await add(body());
    expect([answer.status, answer.body.errors?.[0]?.pointer], answer.text).toEqual([400, pointer]);
  });

  test('get newer lists and other authorities, and never older lists', async () => {
    const { body: made } = await add(tls());
    let version = 1;
    const patch = (body: object): Promise<Answer> =>
      authority.call('PATCH', `/v1/credentials/${made.id}`, {
        body,
        headers: { 'If-Match': `"${version}"` },
      });
    const [older, newer] = [clientsAt(0), clientsAt(1)];
    expect((await patch({ ca: older.pem, crl: newer.list })).status).toBe(200);
    version++;
    const back = await patch({ crl: older.list });
    expect([back.status, back.body.errors[0].pointer]).toEqual([400, '/crl']);
    const none = await patch({ crl: null });
    expect([none.status, none.body.crl_thumbprints]).toEqual([200, undefined]);
    const event = authority.log.events.findLast(({ type }) => type === 'credential.updated');
    expect(JSON.stringify(event)).toContain('crl_thumbprints');
    const { body: other } = await add({ type: 'client_secret' });
    const foreign = await authority.call('PATCH', `/v1/credentials/${other.id}`, {
      body: { ca: clients.pem },
      headers: { 'If-Match': '"1"' },
    });
    expect([foreign.status, foreign.body.errors[0].pointer]).toEqual([400, '/ca']);
  });

  /** One authority whose lists begin so many hours later. */
  function clientsAt(hours: number): { pem: string; list: string } {
    return { pem: dated.pem, list: dated.crl([], START + 3 * DAY, START - DAY + hours * 3_600_000) };
  }
  const dated = clientAuthority(START, 'dated');

  test('are declared, changed in place, and exported as they are', async () => {
    const documentWith = (spec: object): DocumentInput => ({
      apiVersion: 'countersign/v1',
      kind: 'Credential',
      metadata: { name: 'by certificate' },
      spec: { identity: 'a', type: 'tls_client_auth', subject_dn: 'CN=a', ca: clients.pem, ...spec } as never,
    });
    const apply = async (documents: readonly DocumentInput[]): Promise<readonly string[]> => {
      const answer = await authority.call('POST', '/v1/apply', { body: { documents } });
      const changes = answer.body.changes as { op: string; kind: string; fields: string[] }[];
      return changes.map(({ op, fields }) => `${op} ${op === 'update' ? fields.join() : ''}`.trim());
    };
    expect(await apply([documentWith({})])).toEqual(['create']);
    expect(await apply([documentWith({})])).toEqual([]);
    const crl = clients.crl([clients.issue()]);
    expect(await apply([documentWith({ crl })])).toEqual(['update crl_thumbprints']);
    expect(await apply([documentWith({ crl, subject_dn: 'CN=b' })])).toEqual(['create', 'delete']);
    const { body } = await authority.call('GET', '/v1/export');
    const exported = body.documents.filter((each: DocumentInput) => each.kind === 'Credential');
    expect(exported).toMatchObject([{ spec: { subject_dn: 'CN=b', ca: clients.pem, crl } }]);
    expect(await apply(body.documents)).toEqual([]);
  });
});
