import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzCbor } from '../test/fuzz.ts';
import { readCwtClaims, writeCwtClaims } from './cwt-claims.ts';
import { kidOfPskIdentity, pskIdentity } from './pop-key.ts';
import { type CborValue, decodeStrict, encodeCbor } from './strict-cbor.ts';

function read(hex: string): string | CborValue {
  const result = decodeStrict(Buffer.from(hex, 'hex'));
  return result.ok ? result.value : result.fault;
}

describe('one encoding is read and every other refused', () => {
  it.each([
    ['a number in two bytes that fits into one', '1817', 'not_deterministic'],
    ['a length in two bytes that fits into one', '580100', 'not_deterministic'],
    ['an array of unknown length', '9f01ff', 'not_deterministic'],
    ['a text in pieces', '7f6161ff', 'not_deterministic'],
    ['the same key twice', 'a2010a010b', 'not_allowed'],
    ['the same text key twice', 'a2616101616102', 'not_allowed'],
    ['a key that is an array', 'a1800a', 'not_allowed'],
    ['a key that is bytes', 'a1410a0a', 'not_allowed'],
    ['undefined', 'f7', 'not_allowed'],
    ['a simple value', 'f820', 'not_allowed'],
    ['a fraction', 'f93e00', 'not_allowed'],
    ['NaN', 'f97e00', 'not_allowed'],
    ['one as a float', 'fb3ff0000000000000', 'not_allowed'],
    ['a number that is not exact', '1bffffffffffffffff', 'not_allowed'],
    ['a tag inside', '81c101', 'not_allowed'],
    ['three tags', 'd83dd28100', 'ok'],
    ['bytes behind the end', '0000', 'not_cbor'],
    ['nothing', '', 'not_cbor'],
    ['half a head', '19', 'not_cbor'],
    ['text that is not UTF-8', '61ff', 'not_cbor'],
    ['an array of four thousand million', '9affffffff', 'not_cbor'],
    ['a map of more than there is', 'bb001fffffffffffff', 'not_cbor'],
    ['bytes of more than there are', '5affffffff', 'not_cbor'],
    ['a reserved head', '1c', 'not_cbor'],
  ])('%s', (_, hex, expected) => {
    if (expected === 'ok') expect(read(hex)).toEqual([0]);
    else expect(read(hex)).toBe(expected);
  });

  it('a tag within two tags is refused', () => expect(read('d83dd2d200')).toBe('not_allowed'));

  it('more than the limit is not looked at', () => {
    expect(decodeStrict(new Uint8Array(1025))).toEqual({ ok: false, fault: 'too_large' });
    expect(decodeStrict(encodeCbor(new Uint8Array(1021))).ok).toBe(true);
  });

  it('depth is counted without recursion', () => {
    const deep = Buffer.concat([Buffer.alloc(200_000, 0x81), Buffer.from([0])]);
    expect(decodeStrict(deep, { maxBytes: 1e6, maxDepth: 6 })).toEqual({ ok: false, fault: 'too_deep' });
    expect(read('81818181818100')).toEqual([[[[[[0]]]]]]);
    expect(read('8181818181818100')).toBe('too_deep');
  });
});

describe('of a request any encoding is read, for that is the choice of the device (RFC 8949 §4.1)', () => {
  const readAny = (hex: string): string | CborValue => {
    const result = decodeStrict(Buffer.from(hex, 'hex'), { maxBytes: 64, maxDepth: 4, encoding: 'any' });
    return result.ok ? result.value : result.fault;
  };

  it.each<[string, string, string | CborValue]>([
    [
      'a map of unknown length',
      'bf01026161f5ff',
      new Map<number | string, CborValue>([
        [1, 2],
        ['a', true],
      ]),
    ],
    ['an array of unknown length in one', 'bf019f0203ffff', new Map([[1, [2, 3]]])],
    ['an empty one', 'bfff', new Map()],
    ['a number in more bytes than it needs', '190001', 1],
    ['a length in more bytes than it needs', '590001ff', new Uint8Array([0xff])],
  ])('%s', (_, hex, expected) => expect(readAny(hex)).toEqual(expected));

  it.each([
    ['a key without a value', 'bf01ff', 'not_cbor'],
    ['no end', 'bf0102', 'not_cbor'],
    ['an end of nothing', 'ff', 'not_cbor'],
    ['an end in an array whose length is told', '8201ff', 'not_cbor'],
    ['two ends', 'bfffff', 'not_cbor'],
    ['the same key twice', 'bf01020103ff', 'not_allowed'],
    ['the same key twice in two spellings', 'bf0102180103ff', 'not_allowed'],
    ['a text in pieces', '7f6161ff', 'not_deterministic'],
    ['bytes in pieces', '5f4161ff', 'not_deterministic'],
    ['a key that is an array', 'bf9fff01ff', 'not_allowed'],
    ['a fraction', 'bf01f93e00ff', 'not_allowed'],
    ['depth', '9f9f9f9f9fffffffffff', 'too_deep'],
  ])('but not %s', (_, hex, fault) => expect(readAny(hex)).toBe(fault));
});

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 30 }),
    fc.array(tie('any'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('any')), { maxLength: 4 })
      .map((pairs) => new Map(pairs)),
  ),
})).any as fc.Arbitrary<CborValue>;

it('what is written is read again', () => {
  fc.assert(
    fc.property(value, (written) => {
      const result = decodeStrict(encodeCbor(written), { maxBytes: 65_536, maxDepth: 6 });
      expect(result).toEqual({ ok: true, value: written, tags: [] });
    }),
    { numRuns: 1000 },
  );
});

it('whatever comes: no reader throws, and what one takes has one spelling (10⁴ inputs)', () => {
  expect(fuzzCbor(10_000)).toEqual({ thrown: 0, respelled: 0 });
});

describe('claims of a token', () => {
  const claims = {
    iss: 'https://as.test',
    sub: 'lamp',
    aud: 'coaps://lock.test',
    exp: 1_800_000_600,
    iat: 1_800_000_000,
    cti: new Uint8Array([1, 2, 3]),
    scope: 'lock:open lock:read',
    kid: new Uint8Array([9, 9]),
    crd: 'crd_1',
    acs: 'acs_1',
  };

  it('are read as they were written', () => {
    expect(readCwtClaims(writeCwtClaims(claims))).toEqual({ ok: true, claims });
  });

  it.each([
    ['without an end', [4, undefined], 'bad_claims'],
    ['with an end before the epoch', [4, -1], 'bad_claims'],
    ['that begin later, which is never asked for', [5, 1_800_000_000], 'bad_claims'],
    ['for several audiences', [3, ['a', 'b']], 'bad_claims'],
    ['without scope', [9, undefined], 'bad_claims'],
    ['without a key', [8, undefined], 'bad_cnf'],
    [
      'that hold the key itself',
      [
        8,
        new Map([
          [
            1,
            new Map<number, CborValue>([
              [1, 4],
              [2, claims.kid],
              [-1, claims.kid],
            ]),
          ],
        ]),
      ],
      'bad_cnf',
    ],
    [
      'with a key of another type',
      [
        8,
        new Map([
          [
            1,
            new Map<number, CborValue>([
              [1, 2],
              [2, claims.kid],
            ]),
          ],
        ]),
      ],
      'bad_cnf',
    ],
  ] as [string, [number, CborValue | undefined], string][])('%s are refused', (_, [key, changed], fault) => {
    const read = decodeStrict(writeCwtClaims(claims));
    const map = new Map((read as { value: ReadonlyMap<number, CborValue> }).value);
    if (changed === undefined) map.delete(key);
    else map.set(key, changed);
    expect(readCwtClaims(encodeCbor(map))).toEqual({ ok: false, fault });
  });
});

describe('psk_identity', () => {
  it('is the one of RFC 9202 §3.3.2', () => {
    const kid = Buffer.from('3d027833fc6267ce', 'hex');
    const hex = Buffer.from(pskIdentity(kid)).toString('hex');
    expect(hex).toBe('a108a101a2010402483d027833fc6267ce');
    const asOthersWrite = 'bf08bf01bf01040248' + '3d027833fc6267ce' + 'ffffff';
    for (const each of [hex, asOthersWrite])
      expect(Buffer.from(kidOfPskIdentity(Buffer.from(each, 'hex')) ?? []).toString('hex')).toBe(
        '3d027833fc6267ce',
      );
  });
});
