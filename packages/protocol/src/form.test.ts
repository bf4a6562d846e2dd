import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FormFault, parseForm } from './form.ts';
import { encodeFormText } from './form-encoding.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');
const form = (text: string) => {
  const result = parseForm(bytes(text));
  if (!result.ok) throw new Error(result.fault);
  return result.form;
};

describe('a form', () => {
  it('gives values by name', () => {
    const request = form('grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fa.example%2F');
    expect(request.get('grant_type')).toBe('client_credentials');
    expect(request.get('scope')).toBe('a b');
    expect(request.get('resource')).toBe('https://a.example/');
    expect(request.get('absent')).toBeUndefined();
    expect(request.names()).toEqual(['grant_type', 'scope', 'resource']);
  });

  it('treats a parameter without value as omitted', () => {
    const request = form('scope=&client_secret&resource=&resource=urn:a');
    expect(request.get('scope')).toBeUndefined();
    expect(request.get('client_secret')).toBeUndefined();
    expect(request.get('resource')).toBe('urn:a');
    expect(request.all('resource')).toEqual(['urn:a']);
    expect(request.names()).toEqual(['resource']);
  });

  it('lets resource and audience repeat, in order', () => {
    expect(form('resource=urn:a&audience=x&resource=urn:b').all('resource')).toEqual(['urn:a', 'urn:b']);
  });

  it('skips empty pairs, keeps "=" in values and a byte order mark in names', () => {
    const request = form('&&a=b=c&&\ufeffd=e&');
    expect(request.get('a')).toBe('b=c');
    expect(request.get('d')).toBeUndefined();
    expect(request.get('\ufeffd')).toBe('e');
  });

  it('has no names that the language put there', () => {
    const request = form('__proto__=x&constructor=y');
    expect(request.get('__proto__')).toBe('x');
    expect(request.get('toString')).toBeUndefined();
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it.each<[string, string | Uint8Array, FormFault]>([
    ['a bad percent-encoding', 'a=%zz', 'bad_percent_encoding'],
    ['a cut percent-encoding', 'a=%4', 'bad_percent_encoding'],
    ['a percent-encoding that reaches into the next pair', 'a=%4&1=b', 'bad_percent_encoding'],
    ['a bad percent-encoding in a name', '%=1', 'bad_percent_encoding'],
    ['escaped bytes that are not UTF-8', 'a=%ff', 'bad_utf8'],
    ['an overlong encoding', 'a=%c0%80', 'bad_utf8'],
    ['a surrogate in UTF-8', 'a=%ed%a0%80', 'bad_utf8'],
    ['raw bytes that are not UTF-8', Buffer.from([0x61, 0x3d, 0xff]), 'bad_utf8'],
    ['a raw NUL', 'a=\0', 'nul'],
    ['an escaped NUL', 'a=b%00', 'nul'],
    ['a NUL in a name', 'a%00=b', 'nul'],
    ['a repeated parameter', 'scope=a&scope=a', 'duplicate_parameter'],
    ['a parameter repeated once escaped', 'scope=a&s%63ope=b', 'duplicate_parameter'],
    ['a parameter repeated with an empty value', 'scope=&scope=a', 'duplicate_parameter'],
    ['51 parameters', Array.from({ length: 51 }, (_, i) => `p${i}=1`).join('&'), 'too_many_parameters'],
    ['10,000 repeated resources', 'resource=a&'.repeat(10_000), 'too_many_parameters'],
    ['a name of 257 bytes', `${'n'.repeat(257)}=1`, 'name_too_long'],
    ['a value without name', '=1', 'empty_name'],
  ])('refuses %s', (_, body, fault) => {
    expect(parseForm(typeof body === 'string' ? bytes(body) : body)).toEqual({ ok: false, fault });
  });

  it('reads what any encoder wrote (property)', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((s) => !s.includes('\0'));
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 20, noNullPrototype: false }), (pairs) => {
        const ours = Object.entries(pairs).map(([n, v]) => `${encodeFormText(n)}=${encodeFormText(v)}`);
        for (const body of [ours.join('&'), new URLSearchParams(Object.entries(pairs)).toString()]) {
          const request = form(body);
          for (const [name, value] of Object.entries(pairs)) expect(request.get(name)).toBe(value);
        }
      }),
    );
  });

  it('never throws and never repairs: what it accepts, URLSearchParams reads the same (property)', () => {
    const nasty = fc.stringMatching(/^[a-c%&=+0-9\u00e9]{0,40}$/);
    fc.assert(
      fc.property(nasty, (body) => {
        const result = parseForm(bytes(body));
        if (!result.ok) return;
        const theirs = new URLSearchParams(body);
        for (const name of result.form.names()) {
          expect(result.form.all(name)).toEqual(theirs.getAll(name).filter((value) => value !== ''));
        }
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (body) => void parseForm(body)));
  });
});
