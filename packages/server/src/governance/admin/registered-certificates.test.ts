// Certificates as credentials: self_signed_tls_client_auth (RFC 8705 §2.2).
import { createPublicKey } from 'node:crypto';
import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority, START } from '../../../test/authority.ts';
import { testCertificate } from '../../../test/client-certificate.ts';

const DAY = 86_400_000;
const at = (ms: number): string => new Date(ms).toISOString();

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', {
    body: identityBody('a', { client_id: 'a', expires_at: at(START + 365 * DAY) }),
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const add = (change: Record<string, unknown>): Promise<Answer> =>
  authority.call('POST', '/v1/identities/a/credentials', { body: change });

describe('a certificate', () => {
  const DATES = { notBefore: START - DAY, notAfter: START + 90 * DAY };
  const register = (certificate: string, more: object = {}): Promise<Answer> =>
    add({ type: 'self_signed_tls_client_auth', certificate, ...more });

  test('is registered and shown, and bounds its credential by its dates', async () => {
    const own = testCertificate(DATES);
    const answer = await register(own.pem);
    expect(answer.status, answer.text).toBe(201);
    expect(operations['credentials.create'].response.parse(answer.body)).toEqual(answer.body);
    expect(answer.body).toMatchObject({
      type: 'self_signed_tls_client_auth',
      public_id: own.thumbprint,
      label: `self_signed_tls_client_auth ${own.thumbprint.slice(0, 8)}`,
      not_before: at(START),
      expires_at: at(Math.floor(DATES.notAfter / 1000) * 1000),
    });
    expect(answer.body.certificate.trim()).toBe(own.pem.trim());
    for (const member of ['secret', 'hint']) expect(answer.body).not.toHaveProperty(member);
    const patch = (expires_at: string): Promise<Answer> =>
      authority.call('PATCH', `/v1/credentials/${answer.body.id}`, {
        body: { expires_at },
        headers: { 'If-Match': '*' },
      });
    expect((await patch(at(START + 91 * DAY))).body.expires_at).toBe(answer.body.expires_at);
    expect((await patch(at(START + 30 * DAY))).status).toBe(200);
  });

  test('that begins later begins to count then', async () => {
    const later = testCertificate({ notBefore: START + 2 * DAY, notAfter: START + 500 * DAY });
    const { body } = await register(later.pem);
    expect([body.not_before, body.expires_at]).toEqual([
      at(Math.floor((START + 2 * DAY) / 1000) * 1000),
      at(START + 365 * DAY),
    ]);
  });

  const issuer = {
    subject: 'an authority',
    certificate: testCertificate({ ...DATES, subject: 'an authority' }),
  };
  /** RFC 8410 §4: y = 1. */
  const SMALL_ORDER = `302a300506032b657003210001${'00'.repeat(31)}`;
  const aboutKey = (spki: string): string =>
    testCertificate({
      ...DATES,
      publicKey: createPublicKey({ key: Buffer.from(spki, 'hex'), format: 'der', type: 'spki' }),
    }).pem;
  const pemOf = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
  test.each<[string, () => string]>([
    ['one that has expired', () => testCertificate({ ...DATES, notAfter: START - 1000 }).pem],
    [
      'one that begins when all is over',
      () => testCertificate({ notBefore: START + 366 * DAY, notAfter: START + 400 * DAY }).pem,
    ],
    ['one of an authority', () => testCertificate({ ...DATES, issuer }).pem],
    ['two', () => `${testCertificate(DATES).pem}\n${testCertificate(DATES).pem}`],
    ['none', () => pemOf('AAAA')],
    [
      'one that expired in the year 30',
      () => {
        const { der } = testCertificate({ notAfter: Date.UTC(2060, 0, 1) });
        return pemOf(
          Buffer.from(Buffer.from(der).toString('latin1').replace('20600101', '00300101'), 'latin1').toString(
            'base64',
          ),
        );
      },
    ],
    ['one with an Ed25519 key for which anybody can sign', () => aboutKey(SMALL_ORDER)],
  ])('that could prove nobody is refused: %s', async (_, certificate) => {
    const answer = await register(certificate());
    expect([answer.status, answer.body.code, answer.body.errors?.[0]?.pointer]).toEqual([
      400,
      'validation_failed',
      '/certificate',
    ]);
    const list = await authority.call('GET', '/v1/credentials?type=self_signed_tls_client_auth');
    expect(list.body.items).toEqual([]);
  });

  test('with its private key beside it is refused, and the key is repeated nowhere', async () => {
    const own = testCertificate(DATES);
    const answer = await register(`${own.key}\n${own.pem}`);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(own.key.split('\n')[1]);
  });
});
