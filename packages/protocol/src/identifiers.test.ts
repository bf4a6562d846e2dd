import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { parseClientId } from './client-id.ts';
import { ERROR_CODE_TABLE, OAUTH_ERROR_CODES } from './error-code.ts';
import { parseResourceIndicator } from './resource-indicator.ts';
import { resourceMetadataUrl } from './resource-metadata.ts';
import { formatScope, parseScope, parseScopeToken } from './scope.ts';
import { generateSecret, parseSecret } from './secret-format.ts';
import { parseIssuer, wellKnownUrl } from './server-metadata.ts';

it('every error code has a place where it is registered', () => {
  expect(Object.keys(ERROR_CODE_TABLE)).toEqual([...OAUTH_ERROR_CODES]);
});

it.each(['payments', 'A_b-9', 'x'.repeat(128)])('%s is a client identifier', (id) => {
  expect(parseClientId(id)).toBe(id);
});
it.each(['', 'a b', 'a\n', 'pаyments', 'a\0', '../a', 'x'.repeat(129), "a'--"])(
  '%j is not a client identifier',
  (id) => {
    expect(parseClientId(id)).toBeUndefined();
  },
);

describe('a scope', () => {
  it('is tokens parted by one space; repeated ones are dropped, order is kept', () => {
    expect(parseScope('b a b fraud:read')).toEqual(['b', 'a', 'fraud:read']);
    expect(formatScope(parseScope('b a')!)).toBe('b a');
  });
  it.each(['', ' ', ' a', 'a ', 'a  b', 'a\tb', 'a"b', 'a\\b', 'ä', 'a\n', 'a\0', 'a,\u00a0b'])(
    'is not %j',
    (text) => {
      expect(parseScope(text)).toBeUndefined();
    },
  );
  it('is bounded', () => {
    expect(parseScope(Array.from({ length: 1000 }, (_, i) => i).join(' '))).toHaveLength(1000);
    expect(parseScope(Array.from({ length: 1001 }, (_, i) => i).join(' '))).toBeUndefined();
    expect(parseScope('a'.repeat(8193))).toBeUndefined();
    expect(parseScopeToken('a b')).toBeUndefined();
  });
});

it.each([
  'https://api.example.com/',
  'https://api.example.com/app?x=1',
  'urn:example:api',
  'https://a/%7e',
  'HTTPS://A/',
])('%s is a resource indicator', (text) => expect(parseResourceIndicator(text)).toBe(text));
it.each([
  '',
  '/a',
  'a',
  'https://a/#',
  'https://a/#x',
  'https://a/ b',
  'https://ä/',
  'https://a/%zz',
  'https:',
  'https://',
  'https://a\\b',
  `https://a/${'x'.repeat(2048)}`,
  '//a/b',
  'https://a/\n',
])('%j is not a resource indicator', (text) => expect(parseResourceIndicator(text)).toBeUndefined());

describe('an issuer', () => {
  it.each([
    'https://as.example.com',
    'https://as.example.com/',
    'https://as.example.com/t1',
    'http://localhost:9000',
    'http://127.0.0.1:1',
    'http://[::1]:1',
    'https://localhost:8443',
  ])('may be %s', (text) => {
    expect(parseIssuer(text)).toBe(text);
  });
  it.each([
    'http://as.example.com',
    'https://as.example.com?',
    'https://as.example.com#',
    'https://u@as.example.com',
    'HTTPS://as.example.com',
    'https://AS.example.com',
    'https://as.example.com:443',
    'https://as.example.com/a/../b',
    'https://as.example.com\n',
    ' https://as.example.com',
    'as.example.com',
    'http://localhost.evil.example',
    '',
    'ftp://localhost',
    'http://127.1',
  ])('may not be %j', (text) => {
    expect(parseIssuer(text)).toBeUndefined();
  });
  it('has its metadata where RFC 8414 §3.1 and §5 say', () => {
    expect(wellKnownUrl('https://example.com', 'oauth-authorization-server')).toBe(
      'https://example.com/.well-known/oauth-authorization-server',
    );
    expect(wellKnownUrl('https://example.com/issuer1/', 'oauth-authorization-server')).toBe(
      'https://example.com/.well-known/oauth-authorization-server/issuer1',
    );
    expect(wellKnownUrl('https://example.com/issuer1', 'openid-configuration')).toBe(
      'https://example.com/issuer1/.well-known/openid-configuration',
    );
  });
});

it.each([
  ['https://resource.example.com', 'https://resource.example.com/.well-known/oauth-protected-resource'],
  ['https://resource.example.com/', 'https://resource.example.com/.well-known/oauth-protected-resource'],
  [
    'https://resource.example.com/resource1',
    'https://resource.example.com/.well-known/oauth-protected-resource/resource1',
  ],
  [
    'https://resource.example.com/?a=b',
    'https://resource.example.com/.well-known/oauth-protected-resource?a=b',
  ],
  ['urn:example:api', undefined],
])('the metadata of %s is at %s', (resource, url) => {
  expect(resourceMetadataUrl(resource)).toBe(url);
});

describe('base64url', () => {
  it('reads back what it wrote (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(new Uint8Array(decodeBase64url(encodeBase64url(bytes))!)).toEqual(bytes);
      }),
    );
  });
  it('has one text for some bytes: what it reads, it writes the same (property)', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_\-+/= ]{0,8}$/), (text) => {
        const bytes = decodeBase64url(text);
        if (bytes !== undefined) expect(encodeBase64url(bytes)).toBe(text);
      }),
    );
  });
  it.each(['a', 'YQ==', 'YR', 'YWJ', 'YW+/', 'YW\n', 'YW ', 'Y.W', 'ÿÿ'])('does not read %j', (text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });
});

describe('a secret', () => {
  const random = (bytes: number) => randomBytes(bytes);

  it('is kind, public id, 32 random characters and a checksum', () => {
    const { secret, publicId } = generateSecret('csk', random);
    expect(secret).toMatch(/^csk_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$/);
    expect(parseSecret(secret)).toEqual({ kind: 'csk', publicId });
    expect(secret.slice(4, 12)).toBe(publicId);
  });

  it('with one character changed, cut or added is none', () => {
    const { secret } = generateSecret('cak', random);
    for (let i = 0; i < secret.length; i++) {
      const other = secret[i] === 'x' ? 'y' : 'x';
      expect(parseSecret(secret.slice(0, i) + other + secret.slice(i + 1))).toBeUndefined();
    }
    expect(parseSecret(secret.slice(1))).toBeUndefined();
    expect(parseSecret(`${secret}\0`)).toBeUndefined();
    expect(parseSecret(`${secret}\n`)).toBeUndefined();
  });

  it('never uses bytes that would favour some characters', () => {
    const served: number[] = [];
    const biased = (bytes: number) =>
      Buffer.from(Array.from({ length: bytes }, () => (served.push(1) % 2 ? 255 : 61)));
    expect(generateSecret('cit', biased).secret).toMatch(/^cit_z{8}_z{32}/);
  });

  it('has every character about equally often', () => {
    const count = new Map<string, number>();
    for (let i = 0; i < 2000; i++) {
      for (const char of generateSecret('csk', random).secret.slice(13, 45))
        count.set(char, (count.get(char) ?? 0) + 1);
    }
    expect(count.size).toBe(62);
    // 64,000 draws: 1,032 expected, standard deviation 32; eight of them are never seen by chance.
    for (const n of count.values()) expect(Math.abs(n - 1032)).toBeLessThan(256);
  });
});
