import { generateSecret } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { outsideResource, outsideScopes, outsideText } from './outside-text.ts';

const FINGERPRINT = /^~[0-9a-f]{12}$/;

describe('text of a caller in the log', () => {
  it.each(['', 'payments', 'fraud:read', 'payments-worker_2', 'api.fraud.v2', 'a/b', 'team-307'])(
    'stays as it is when it looks like a name: %j',
    (text) => expect(outsideText(text)).toBe(text),
  );

  it.each([
    ['mixed case', 'Payments'],
    ['many digits', 'payments-2026'],
    ['digits in two places', 'a1b2'],
    ['control characters', 'pay\nments'],
    ['quotes', 'pay"ments'],
    ['other letters', 'zahlungen-fürs-büro'],
    ['half a surrogate pair', '\ud800'],
    ['great length', 'a'.repeat(65)],
    ['64 kB', 'a'.repeat(65_536)],
  ])('is a fingerprint when it has %s', (_, text) => {
    expect(outsideText(text)).toMatch(FINGERPRINT);
    expect(outsideText(text)).toBe(outsideText(text));
    expect(outsideText(text)).not.toBe(outsideText(`${text}x`));
  });

  it('never is a secret of ours, nor a piece of one (property)', () => {
    const random = pooledRandom();
    for (let i = 0; i < 500; i++) {
      const { secret } = generateSecret('csk', random);
      for (const text of [secret, ` ${secret}`, `client ${secret}`, secret.slice(4), secret.slice(13)]) {
        expect(outsideText(text)).toMatch(FINGERPRINT);
        expect(outsideScopes(`fraud:read ${text.trim()}`, () => false)).not.toContain(text.trim());
        expect(outsideResource(`https://api.test/${text.trim()}?key=${text.trim()}`)).not.toContain(
          text.trim(),
        );
      }
    }
  });

  it('is bounded and of harmless characters, whatever it was (property)', () => {
    const any = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(any, (text) => {
        for (const told of [outsideText(text), outsideResource(text)]) {
          expect(told.length).toBeLessThan(200);
          expect(told).toMatch(/^[\x21-\x7e]*$/);
        }
      }),
    );
  });
});

describe('scopes that were asked for', () => {
  it('are told as they are where they exist, and as outside text where not', () => {
    const exists = (scope: string): boolean => scope === 'Fraud.Read';
    expect(outsideScopes('Fraud.Read', exists)).toBe('Fraud.Read');
    expect(outsideScopes('Fraud.Read fraud:write Fraud.Write', exists)).toMatch(
      /^Fraud\.Read fraud:write ~[0-9a-f]{12}$/,
    );
  });

  it('are told up to fifty', () => {
    const many = Array.from({ length: 60 }, () => 'a').join(' ');
    expect(outsideScopes(many, () => false).split(' ')).toEqual([...Array<string>(50).fill('a'), '…']);
    const fifty = Array.from({ length: 50 }, () => 'a').join(' ');
    expect(outsideScopes(fifty, () => true)).toBe(fifty);
  });
});

describe('a resource that names nothing here', () => {
  it.each([
    ['https://api.fraud.test', 'https://api.fraud.test'],
    ['https://api.fraud.test/', 'https://api.fraud.test'],
    ['https://api.fraud.test/v1/scores', 'https://api.fraud.test/v1/scores'],
    ['https://api.fraud.test:8443/v1', /^~/],
    ['https://api.fraud.test/?key=SECRET', 'https://api.fraud.test'],
    ['https://api.fraud.test/AKIA7Q', /^https:\/\/api\.fraud\.test\/~[0-9a-f]{12}$/],
    ['https://user:pass@api.fraud.test/v1', /^https:\/\/api\.fraud\.test\/(?!.*pass)/],
    ['urn:example:fraud', 'urn:example:fraud'],
    ['urn:example:AKIA7Q', FINGERPRINT],
    ['not a uri', FINGERPRINT],
  ])('%s is told as %s', (asked, told) => {
    if (typeof told === 'string') expect(outsideResource(asked)).toBe(told);
    else expect(outsideResource(asked)).toMatch(told);
  });
});
