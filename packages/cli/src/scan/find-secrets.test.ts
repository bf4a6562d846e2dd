import { randomBytes } from 'node:crypto';
import { generateSecret, generateWebhookSecret } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSecrets } from './find-secrets.ts';
import { SECRET_PATTERNS } from './secret-pattern.ts';

const NOW = Date.parse('2026-11-30T09:00:00Z');
const kinds = (text: string): string[] => findSecrets(text, NOW).map(({ pattern }) => pattern.id);
const letters = (count: number, alphabet = 'aB3dE5gH7jK9'): string =>
  Array.from({ length: count }, (_, at) => alphabet[(at * 7) % alphabet.length]).join('');
const base32 = (count: number): string => letters(count, 'ABC2DE3FG4');
const hex = (count: number): string => letters(count, '0a1b2c3d4e5f');

function jwt(claims: object, header: object = { alg: 'ES256' }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${letters(86)}`;
}

/** Put together here, so that nobody's scanner finds this file. */
const FOREIGN: Readonly<Record<string, string>> = {
  'webhook-secret': ['wh', 'sec_', letters(32)].join(''),
  'aws-access-key-id': ['AK', 'IA', base32(16)].join(''),
  'aws-secret-access-key': `aws_secret_access_key = ${letters(40)}`,
  'github-token': ['gh', 'p_', letters(36)].join(''),
  'github-fine-grained-token': ['github', '_pat_', letters(22), '_', letters(59)].join(''),
  'gitlab-token': ['gl', 'pat-', letters(20)].join(''),
  'slack-token': ['xo', 'xb-', '123456789012-1234567890123-', letters(24)].join(''),
  'slack-webhook': ['https://hooks.', 'slack.com/services/T0000000/B0000000/', letters(24)].join(''),
  'google-api-key': ['AI', 'za', letters(35)].join(''),
  'google-oauth-client-secret': ['GOC', 'SPX-', letters(28)].join(''),
  'azure-client-secret': ['abc', '8Q', '~', letters(34)].join(''),
  'azure-storage-key': ['Account', 'Key=', letters(86), '=='].join(''),
  'stripe-key': ['sk', '_live_', letters(24)].join(''),
  'npm-token': ['np', 'm_', letters(36)].join(''),
  'pypi-token': ['py', 'pi-AgE', letters(60)].join(''),
  'docker-token': ['dckr', '_pat_', letters(27)].join(''),
  'vault-token': ['hv', 's.', letters(24)].join(''),
  'digitalocean-token': ['do', 'p_v1_', hex(64)].join(''),
  'sendgrid-key': ['S', 'G.', letters(22), '.', letters(43)].join(''),
  'private-key': ['-----BEGIN ', 'RSA PRIVATE KEY-----\n', letters(64), '\n'].join(''),
  jwt: jwt({ iss: 'https://id.example', sub: 'x' }),
};

const OURS: Readonly<Record<string, () => string>> = {
  'countersign-client-secret': () => generateSecret('csk', randomBytes).secret,
  'countersign-api-key': () => generateSecret('cak', randomBytes).secret,
  'countersign-initial-access-token': () => generateSecret('cit', randomBytes).secret,
  'countersign-webhook-secret': () => generateWebhookSecret(randomBytes),
};

test('every pattern has its example here', () => {
  const known = [...Object.keys(FOREIGN), ...Object.keys(OURS)];
  expect(known.toSorted()).toEqual(SECRET_PATTERNS.map(({ id }) => id).toSorted());
});

describe('what is found', () => {
  const around = (secret: string): string[] => [
    secret,
    `token = "${secret}"`,
    `{"a":"${secret}"}`,
    `A=${secret};B=1`,
    `export T='${secret}'\n# next line`,
    `<${secret}>`,
  ];

  test.each(Object.entries(FOREIGN))(
    '%s, whatever stands around it, as that and nothing else',
    (id, secret) => {
      for (const text of around(secret)) expect([text, kinds(text)]).toEqual([text, [id]]);
    },
  );

  test.each(Object.entries(OURS))('%s, by its checksum', (id, make) => {
    for (let round = 0; round < 20; round++) {
      const secret = make();
      for (const text of around(secret)) expect([text, kinds(text)]).toEqual([text, [id]]);
    }
  });
});

describe('what is not', () => {
  test('ours with one character wrong', () => {
    const change = fc.tuple(fc.constantFrom('csk' as const, 'cak' as const, 'cit' as const), fc.nat(45));
    fc.assert(
      fc.property(change, ([kind, at]) => {
        const { secret } = generateSecret(kind, randomBytes);
        if (secret[at + 4] === undefined || secret[at + 4] === '_') return;
        const other = secret[at + 4] === 'a' ? 'b' : 'a';
        expect(kinds(secret.slice(0, at + 4) + other + secret.slice(at + 5))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test.each(Object.entries(FOREIGN))('%s as a part of a longer word', (_id, secret) => {
    expect(
      kinds(`x${secret.replace(/^(aws|-----|https|Account)/, 'x$1')}`).filter((id) => id !== 'private-key'),
    ).toEqual(
      secret.startsWith('aws') || secret.startsWith('https') || secret.startsWith('Account')
        ? expect.anything()
        : [],
    );
  });

  test('prose, placeholders and what documents show', () => {
    for (const text of [
      'csk_… and cak_PUBLICID_…',
      'csk_AAAAAAAA_0123456789abcdefghijABCDEFGHIJ01234567',
      'AKIA… or AKIAIOSFODNN7EXAMPL',
      'a token begins with ghp_ and has 36 characters',
      '-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----',
      '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEabcabcabcabcabcabcabcabcabcabc',
      'secret_access_key: ${AWS_SECRET}',
      'eyJhbGciOiJIUzI1NiJ9.e30.abc',
    ]) {
      expect([text, kinds(text)]).toEqual([text, []]);
    }
  });

  test('a token that has expired, names nobody, or is not signed', () => {
    expect(kinds(jwt({ iss: 'x', exp: NOW / 1000 - 1 }))).toEqual([]);
    expect(kinds(jwt({ iss: 'x', exp: NOW / 1000 + 1 }))).toEqual(['jwt']);
    expect(kinds(jwt({ sub: 'only this' }))).toEqual([]);
    expect(kinds(jwt({ iss: 'x' }, { alg: 'none' }))).toEqual([]);
    expect(kinds(`eyJ${letters(30)}.eyJ${letters(30)}.${letters(40)}`)).toEqual([]);
  });

  test('anything that is random, in a time that grows with its length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
        for (const { secret, at } of findSecrets(text, NOW))
          expect(text.slice(at, at + secret.length)).toBe(secret);
      }),
      { numRuns: 50 },
    );
    for (const piece of [
      'aws secret ',
      'eyJa.eyJ',
      'xoxb-1-',
      'glpat-',
      'AccountKey=',
      '-----BEGIN A B ',
      'whsec_a',
    ]) {
      findSecrets(piece.repeat(65_536 / piece.length), NOW);
    }
  });
});

test('what is shown of a secret does not give it away, and its fingerprint is the same everywhere', () => {
  const { secret } = generateSecret('csk', randomBytes);
  const [first] = findSecrets(secret, NOW);
  const [second] = findSecrets(`x = '${secret}'`, NOW);
  expect(first?.masked).toBe(`${secret.slice(0, 12)}… (51 characters)`);
  expect(first?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(second).toMatchObject({ fingerprint: first?.fingerprint, at: 5 });
});
