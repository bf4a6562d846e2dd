import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CanonicalJsonError, type CanonicalJsonFault, canonicalJson } from './canonical-json.ts';

describe('canonical JSON', () => {
  it('writes the example of RFC 8785 §3.2.2', () => {
    const source = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(source))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts as the example of RFC 8785 §3.2.3', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    const order = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    expect(text).toBe(`{${order.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`);
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s (RFC 8785 appendix B)', (hex, text) => {
    expect(canonicalJson(Buffer.from(hex, 'hex').readDoubleBE())).toBe(text);
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;

  it.each<[string, unknown, CanonicalJsonFault, string]>([
    ['NaN', Number.NaN, 'not_finite', ''],
    ['infinity', { a: [1, Number.POSITIVE_INFINITY] }, 'not_finite', '.a[1]'],
    ['half a surrogate pair', ['\ud83d'], 'lone_surrogate', '[0]'],
    ['half a surrogate pair in a name', { '\ude00': 1 }, 'lone_surrogate', '.\ude00'],
    ['undefined', undefined, 'not_json', ''],
    ['an undefined member', { a: undefined }, 'not_json', '.a'],
    ['undefined in a list', [1, undefined], 'not_json', '[1]'],
    ['a bigint', { a: 1n }, 'not_json', '.a'],
    ['a function', () => 1, 'not_json', ''],
    ['a symbol', Symbol('a'), 'not_json', ''],
    ['a date', new Date(0), 'not_json', ''],
    ['bytes', new Uint8Array(1), 'not_json', ''],
    ['a map', new Map(), 'not_json', ''],
  ])('has no form for %s', (_, value, code, path) => {
    let thrown: unknown;
    try {
      canonicalJson(value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CanonicalJsonError);
    expect(thrown).toMatchObject({ code, path });
  });

  it('has no form for circles and for 65 levels', () => {
    expect(() => canonicalJson(circle)).toThrow(CanonicalJsonError);
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(canonicalJson(nested(64))).toHaveLength(129);
    expect(() => canonicalJson(nested(65))).toThrow('nested more than 64 deep');
  });

  it('keeps __proto__ as the member that it is', () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":2}'))).toBe('{"__proto__":2,"b":1}');
  });

  it('says the same value, whatever the order of members, and is a fixed point (property)', () => {
    const json = fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 5 });
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        const again: unknown = JSON.parse(text);
        // JSON has one zero.
        expect(again).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(again)).toBe(text);
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
