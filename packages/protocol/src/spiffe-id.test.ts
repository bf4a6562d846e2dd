import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpiffeId, parseTrustDomain, spiffeIdOf, type TrustDomain } from './spiffe-id.ts';

const VALID: readonly (readonly [text: string, trustDomain: string, path: string])[] = [
  ['spiffe://example.org', 'example.org', ''],
  ['spiffe://example.org/path', 'example.org', '/path'],
  ['spiffe://example.org/path/element', 'example.org', '/path/element'],
  ['spiffe://a_b-c.9/x', 'a_b-c.9', '/x'],
  ['spiffe://10.2.3.4/Service_1.2-3', '10.2.3.4', '/Service_1.2-3'],
  ['spiffe://td/...', 'td', '/...'],
  ['spiffe://td/.hidden', 'td', '/.hidden'],
  [`spiffe://${'a'.repeat(255)}/x`, 'a'.repeat(255), '/x'],
  [`spiffe://td/${'x'.repeat(2048 - 12)}`, 'td', `/${'x'.repeat(2048 - 12)}`],
];

/** What SPIFFE-ID.md §2 rules out, and what a URL parser would make an ID of. */
const INVALID: readonly string[] = [
  '',
  'spiffe',
  'spiffe:',
  'spiffe:/td/x',
  'spiffe://',
  'spiffe:///x',
  'https://example.org/x',
  'SPIFFE://example.org/x',
  'Spiffe://example.org',
  'spiffe://Example.org/x',
  'spiffe://example.org/',
  'spiffe://example.org//x',
  'spiffe://example.org/x/',
  'spiffe://example.org/x//y',
  'spiffe://example.org/.',
  'spiffe://example.org/..',
  'spiffe://example.org/x/../y',
  'spiffe://example.org/x/./y',
  'spiffe://example.org/%2e%2e/y',
  'spiffe://example.org/a%20b',
  'spiffe://ex%61mple.org/x',
  'spiffe://user@example.org/x',
  'spiffe://user:pw@example.org/x',
  'spiffe://example.org:8443/x',
  'spiffe://[::1]/x',
  'spiffe://example.org?q=1',
  'spiffe://example.org/x?q=1',
  'spiffe://example.org/x?',
  'spiffe://example.org/x#f',
  'spiffe://example.org/x#',
  'spiffe://example.org/x y',
  'spiffe://example.org/x\n',
  'spiffe://example.org/x\u0000',
  ' spiffe://example.org/x',
  'spiffe://example.org\\x',
  'spiffe://ex ample.org/x',
  'spiffe://exämple.org/x',
  'spiffe://example.org/ä',
  'spiffe://example.org/~x',
  'spiffe://example.org/x!',
  'spiffe://example.org/x:y',
  'spiffe://example.org/x@y',
  'spiffe://example.org/x+y',
  `spiffe://${'a'.repeat(256)}/x`,
  `spiffe://td/${'x'.repeat(2048 - 11)}`,
];

describe('a SPIFFE ID', () => {
  it.each(VALID)('%s is read', (text, trustDomain, path) => {
    expect(parseSpiffeId(text)).toEqual({ text, trustDomain, path });
  });

  it.each(INVALID)('%j is refused', (text) => {
    expect(parseSpiffeId(text)).toBeUndefined();
  });

  it('is its own text: what is read and written again is the same', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (rest) => {
        const read = parseSpiffeId(`spiffe://${rest}`);
        if (read !== undefined) expect(`spiffe://${read.trustDomain}${read.path}`).toBe(`spiffe://${rest}`);
      }),
    );
  });

  it('of segments is refused where a segment would be two, or none', () => {
    const td = parseTrustDomain('example.org') as TrustDomain;
    expect(spiffeIdOf(td, 'service', 'payments')?.text).toBe('spiffe://example.org/service/payments');
    expect(spiffeIdOf(td)?.path).toBe('');
    for (const bad of ['', '.', '..', 'a/', 'a//b', 'a b']) expect(spiffeIdOf(td, bad)).toBeUndefined();
  });
});

describe('a trust domain', () => {
  it.each(['example.org', 'localhost', '127.0.0.1', 'a', '_', '-.-'])('%s is read', (text) => {
    expect(parseTrustDomain(text)).toBe(text);
  });

  it.each(['', 'Example.org', 'a/b', 'a:1', 'a@b', 'ä', 'a b', 'a'.repeat(256)])('%j is refused', (text) => {
    expect(parseTrustDomain(text)).toBeUndefined();
  });
});
