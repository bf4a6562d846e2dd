import { parseBoundedJsonObject } from './bounded-json.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonFault, parseJsonObject } from './strict-json.ts';

describe('a JSON object', () => {
  it.each<[string, string | Uint8Array, JsonFault]>([
    ['a repeated member', '{"a":1,"a":1}', 'duplicate_member'],
    ['a repeated member behind an escape', '{"alg":1,"\\u0061lg":2}', 'duplicate_member'],
    ['a repeated member deep inside', '{"a":[{"b":1 , "c":{}, "b" : 2}]}', 'duplicate_member'],
    ['a repeated empty name', '{"":1,"":2}', 'duplicate_member'],
    ['a repeated name ending in a backslash', '{"\\\\":1,"\\\\":2}', 'duplicate_member'],
    ['a byte order mark', Buffer.from('\ufeff{}'), 'not_json'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'bad_utf8'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'not_json'],
    ['an array', '[]', 'not_an_object'],
    ['null', 'null', 'not_an_object'],
    ['a number', '1', 'not_an_object'],
    ['nothing', '', 'not_json'],
    ['two objects', '{}{}', 'not_json'],
    ['a comment', '{}//', 'not_json'],
    ['NaN', '{"a":NaN}', 'not_json'],
    ['33 levels', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`, 'too_deep'],
    ['5,000 levels', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'too_deep'],
    ['half a surrogate pair, escaped', '{"a":"\\ud800"}', 'lone_surrogate'],
    ['half a surrogate pair in a name', '{"\\udc00":1}', 'lone_surrogate'],
    ['half a surrogate pair, raw', '{"a":"\ud800"}', 'lone_surrogate'],
    ['300 kB', `{"a":"${'x'.repeat(300_000)}"}`, 'too_long'],
  ])('is not read from %s', (_, source, fault) => {
    expect(parseJsonObject(source)).toEqual({ ok: false, fault });
  });

  it('holds no more values than its reader allows, commas in strings not counted', () => {
    const of = (count: number): string =>
      `{"a\\",[{":[${Array.from({ length: count }, () => '",,[\\"{"').join(',')}]}`;
    expect(parseBoundedJsonObject(of(8), { maxValues: 9 })).toMatchObject({ ok: true });
    expect(parseBoundedJsonObject(of(9), { maxValues: 9 })).toEqual({ ok: false, fault: 'too_many_values' });
    expect(parseBoundedJsonObject('{"a":"', { maxValues: 9 })).toEqual({ ok: false, fault: 'not_json' });
    expect(parseJsonObject(of(20_000))).toMatchObject({ ok: true });
  });

  it('may use one name in two objects, a name as a value, and colons and quotes in strings', () => {
    for (const text of [
      '{"a":{"a":{"a":1}},"b":{"a":1}}',
      '{"a":"a","b":["a","a"]}',
      '{"a":"\\":","b":":"}',
      ' {\n} ',
      '{"a":"\\ud83d\\ude00"}',
    ]) {
      expect(parseJsonObject(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }
  });

  it('keeps __proto__ as a member and changes no prototype', () => {
    const result = parseJsonObject('{"__proto__":{"iss":"x"}}');
    expect(result.ok && Object.hasOwn(result.value, '__proto__')).toBe(true);
    expect(result.ok && result.value['iss']).toBe(undefined);
    expect(parseJsonObject('{"__proto__":1,"__proto__":2}')).toEqual({
      ok: false,
      fault: 'duplicate_member',
    });
  });

  it('is read as JSON.parse reads it (property)', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 })),
        fc.boolean(),
        (value, spaced) => {
          const text = JSON.stringify(value, undefined, spaced ? 2 : 0);
          expect(parseJsonObject(text)).toEqual({ ok: true, value: JSON.parse(text) });
          expect(parseJsonObject(Buffer.from(text))).toEqual({ ok: true, value: JSON.parse(text) });
        },
      ),
    );
  });
});
