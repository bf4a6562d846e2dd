import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAccessTokenClaims } from './access-token-claims.ts';
import { flatNames, readFlatJson } from './flat-json.ts';
import { parsePlainAccessTokenClaims } from './plain-access-token.ts';

const CLAIMS = {
  iss: 'https://as.example.com',
  sub: 'payments',
  client_id: 'payments',
  aud: 'https://fraud.example.com',
  scope: 'fraud:read fraud:list',
  iat: 1000,
  exp: 1600,
  jti: 'j1',
  crd: 'crd_1',
  acs: 'acs_1',
  nbf: 1000,
};
const NAMES = Object.keys(CLAIMS);
const FLAT = flatNames(NAMES);
const bytes = (text: string) => Buffer.from(text, 'utf8');
const flat = (text: string) => readFlatJson(bytes(text), bytes(text).length, FLAT);

/** Both readings, with what is read only when it is asked for. */
function expectTheSame(payload: Uint8Array): void {
  const plain = parsePlainAccessTokenClaims(payload);
  const whole = parseAccessTokenClaims(payload);
  expect(plain).toEqual(whole);
  if (plain.ok && whole.ok) expect(plain.claims.all).toEqual(whole.claims.all);
}

describe('a flat object', () => {
  it('is read, in any order of its names', () => {
    for (const text of [
      JSON.stringify(CLAIMS),
      JSON.stringify(Object.fromEntries(Object.entries(CLAIMS).reverse())),
    ]) {
      expect(flat(text)?.values).toEqual(Object.values(CLAIMS));
      expect(flat(text)?.text).toBe(text);
    }
  });

  it.each([
    ['nothing', ''],
    ['an empty object', '{}'],
    ['a blank', '{"iss": "a"}'],
    ['a blank at the end', '{"iss":"a"} '],
    ['something behind it', '{"iss":"a"}}'],
    ['no end', '{"iss":"a"'],
    ['a comma at the end', '{"iss":"a",}'],
    ['no comma', '{"iss":"a""sub":"b"}'],
    ['a name twice', '{"iss":"a","iss":"b"}'],
    ['an empty value twice', '{"iss":"","iss":"b"}'],
    ['a name that is not asked for', '{"iss":"a","extra":"b"}'],
    ['a name of every object', '{"constructor":"a"}'],
    ['an escape in a value', '{"iss":"a\\u0062"}'],
    ['an escape in a name', '{"i\\u0073s":"a"}'],
    ['a name that ends in an escape', '{"iss\\:"a"}'],
    ['a value that ends in an escape', '{"iss":"a\\,"sub":"b"}'],
    ['an escaped quote', '{"iss":"a\\"}'],
    ['a control character', '{"iss":"a\tb"}'],
    ['other than ASCII', '{"iss":"\u00e4"}'],
    ['other than ASCII in a name', '{"\u00e4":"a"}'],
    ['nothing as value', '{"iat":}'],
    ['a zero in front', '{"iat":01}'],
    ['zero', '{"iat":0}'],
    ['a sign', '{"iat":-1}'],
    ['a fraction', '{"iat":1.5}'],
    ['an exponent', '{"iat":1e3}'],
    ['16 digits', '{"iat":1234567890123456}'],
    ['a truth', '{"iss":true}'],
    ['nothing at all', '{"iss":null}'],
    ['a list', '{"aud":["a"]}'],
    ['an object inside', '{"iss":{"a":"b"}}'],
    ['a list', '["iss","a"]'],
    ['a byte order mark', '\ufeff{"iss":"a"}'],
  ])('is not read from %s', (_, text) => {
    expect(flat(text)).toBeUndefined();
  });

  it('ends where its bytes end, whatever comes behind them', () => {
    const text = '{"iss":"a"}';
    for (const behind of ['', ',"sub":"b"}', '}', '"', 'x']) {
      expect(readFlatJson(bytes(text + behind), text.length, FLAT)?.values[0]).toBe('a');
    }
    for (let length = 0; length < text.length; length++) {
      for (const behind of ['"', '"}', '}', ':"a"}', ',"sub":"b"}']) {
        const whole = bytes(text.slice(0, length) + behind);
        expect(readFlatJson(whole, length, FLAT)).toBeUndefined();
      }
    }
  });
});

describe('claims of a plain access token', () => {
  it('are what the whole reading gives, and so is every claim as it came', () => {
    expectTheSame(bytes(JSON.stringify(CLAIMS)));
    const read = parsePlainAccessTokenClaims(bytes(JSON.stringify(CLAIMS)));
    expect(read.ok && read.claims.all).toEqual(CLAIMS);
    expect(read.ok && read.claims.all).toBe(read.ok && read.claims.all);
  });

  it('are judged as the whole reading judges them (property)', () => {
    const odd = fc.oneof(
      fc.constantFrom(
        undefined,
        null,
        '',
        'a',
        'a b',
        'a  b',
        'a a',
        ' ',
        0,
        -1,
        1.5,
        1e300,
        253_402_300_800,
        true,
      ),
      fc.constantFrom([], ['a'], [1], {}, { jkt: 'x' }, { sub: 'a' }, '\u00e4', '\ud800', '"', '\\', 'a\tb'),
    );
    const change = fc.record(
      Object.fromEntries([...NAMES, 'cnf', 'act', 'via', 'extra', '__proto__'].map((name) => [name, odd])),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(change, (changed) => expectTheSame(bytes(JSON.stringify({ ...CLAIMS, ...changed })))),
      { numRuns: 500 },
    );
  });

  it('are judged so after any change of a byte, too', () => {
    const good = bytes(JSON.stringify(CLAIMS));
    for (let at = 0; at < good.length; at++) {
      for (const byte of [0x00, 0x20, 0x22, 0x2c, 0x30, 0x3a, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(good);
        changed[at] = byte;
        expectTheSame(changed);
      }
      expectTheSame(good.subarray(0, at));
    }
  });
});
