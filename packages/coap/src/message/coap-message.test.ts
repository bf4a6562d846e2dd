import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CoapMessage, type CoapType, readCoap, writeCoap } from './coap-message.ts';
import { readTarget } from './request-target.ts';

const message = (change: Partial<CoapMessage> = {}): CoapMessage => ({
  type: 0,
  code: 1,
  messageId: 1,
  token: new Uint8Array(0),
  options: [],
  payload: new Uint8Array(0),
  ...change,
});
const segments = (...texts: string[]): CoapMessage =>
  message({ options: texts.map((text) => ({ number: 11, value: Buffer.from(text) })) });

it('what is written is read again', () => {
  const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
  const options = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 2000 }), bytes(600)), { maxLength: 8 })
    .map((list) => list.sort(([a], [b]) => a - b).map(([number, value]) => ({ number, value })));
  const any = fc.record({
    type: fc.integer({ min: 0, max: 3 }) as fc.Arbitrary<CoapType>,
    code: fc.integer({ min: 1, max: 255 }),
    messageId: fc.integer({ min: 0, max: 65_535 }),
    token: bytes(8),
    options,
    payload: bytes(300),
  });
  fc.assert(
    fc.property(any, (written) => {
      expect(readCoap(Uint8Array.from(writeCoap(written)))).toEqual(written);
    }),
    { numRuns: 500 },
  );
});

describe('what is no message', () => {
  it.each([
    ['too short', '400100'],
    ['of another version', '80010001'],
    ['with a token of nine bytes', '49010001000000000000000000'],
    ['with half a token', '420100010a'],
    ['that is empty and goes on', '4000000101'],
    ['with a payload marker and no payload', '40010001ff'],
    ['with an option that is longer than it', '40010001b574'],
    ['with a reserved delta', '40010001f0'],
    ['with a reserved length', '400100010f'],
    ['with an option number beyond all', '40010001e0ffff0000e0ffff'],
  ])('%s is refused', (_, hex) => expect(readCoap(Buffer.from(hex, 'hex'))).toBeUndefined());
});

describe('a target', () => {
  it.each([
    [segments(), '/'],
    [segments('a', 'b'), '/a/b'],
    [segments('a', ''), '/a/'],
    [segments('ä b'), '/ä b'],
  ])('is read', (asked, path) =>
    expect(readTarget(asked)).toEqual({ ok: true, target: { method: 'GET', path } }),
  );

  it.each([
    ['a slash within a segment', segments('a/b'), 0x80],
    ['a step back', segments('a', '..'), 0x80],
    ['a step nowhere', segments('.', 'a'), 0x80],
    ['an empty segment in between', segments('', 'a'), 0x80],
    ['a segment that is too long', segments('a'.repeat(256)), 0x82],
    ['a segment that is no text', message({ options: [{ number: 11, value: Uint8Array.of(0xff) }] }), 0x80],
    ['a URI for a proxy', message({ options: [{ number: 35, value: Buffer.from('coap://x/') }] }), 0xa5],
    ['a scheme for a proxy', message({ options: [{ number: 39, value: Buffer.from('coap') }] }), 0xa5],
    ['a method that nobody knows', message({ code: 9 }), 0x85],
  ])('with %s is refused', (_, asked, code) => expect(readTarget(asked)).toEqual({ ok: false, code }));
});
