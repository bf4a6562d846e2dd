import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BasicCredentialsFault,
  formatBasicCredentials,
  parseBasicCredentials,
} from './basic-credentials.ts';

const header = (text: string | Uint8Array) => `Basic ${Buffer.from(text as string).toString('base64')}`;

describe('Basic credentials', () => {
  it('reads the example of RFC 6749 §2.3.1', () => {
    expect(parseBasicCredentials('Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW')).toEqual({
      ok: true,
      id: 's6BhdRkqt3',
      secret: 'gX1fBat3bV',
    });
  });

  it.each([
    ['raw', 'a-b_c:csk_x-y'],
    ['with every character encoded', '%61%2Db%5Fc:csk%5Fx%2dy'],
  ])('reads the same pair %s', (_, pair) => {
    expect(parseBasicCredentials(header(pair))).toEqual({ ok: true, id: 'a-b_c', secret: 'csk_x-y' });
  });

  it('takes the scheme in any case, a colon in the secret, and no secret', () => {
    expect(parseBasicCredentials(header('a:b:c').replace('Basic', 'bAsIc'))).toMatchObject({ secret: 'b:c' });
    expect(parseBasicCredentials(header('a:'))).toEqual({ ok: true, id: 'a', secret: '' });
    expect(parseBasicCredentials(header('a%3Ab:c'))).toMatchObject({ id: 'a:b', secret: 'c' });
    expect(parseBasicCredentials(header('käse:ö'))).toMatchObject({ id: 'käse', secret: 'ö' });
  });

  it.each<[string, string, BasicCredentialsFault]>([
    ['another scheme', 'Bearer abc', 'not_basic'],
    ['nothing', '', 'not_basic'],
    ['the scheme alone', 'Basic', 'bad_base64'],
    ['base64url', 'Basic _-==', 'bad_base64'],
    ['base64 without its padding', 'Basic YTpi'.concat('Yg'), 'bad_base64'],
    ['base64 with stray bits', 'Basic YTpiYh==', 'bad_base64'],
    ['base64 with a space in it', 'Basic YTpi YTpi', 'bad_base64'],
    ['two values joined', 'Basic YTpi, Basic YTpi', 'bad_base64'],
    ['no colon', header('ab'), 'no_colon'],
    ['an encoded colon only', header('a%3Ab'), 'no_colon'],
    ['a bad percent-encoding', header('a:%zz'), 'bad_percent_encoding'],
    ['a percent sign at the end', header('a:100%'), 'bad_percent_encoding'],
    ['bytes that are not UTF-8', header(Buffer.from([0x61, 0x3a, 0xff])), 'bad_utf8'],
    ['escapes that are not UTF-8', header('a:%ff'), 'bad_utf8'],
    ['a NUL', header('a\0:b'), 'nul'],
    ['an escaped NUL', header('a:b%00'), 'nul'],
    ['a line feed', header('a\n:b'), 'control_character'],
    ['an escaped line feed', header('a:b%0A'), 'control_character'],
    ['64 kB', header('a'.repeat(65_536)), 'too_long'],
  ])('refuses %s', (_, value, fault) => {
    expect(parseBasicCredentials(value)).toEqual({ ok: false, fault });
  });

  it('reads back any pair that it wrote (property)', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((s) => !/[\x00-\x1f\x7f]/.test(s));
    fc.assert(
      fc.property(text, text, (id, secret) => {
        expect(parseBasicCredentials(formatBasicCredentials(id, secret))).toEqual({ ok: true, id, secret });
      }),
    );
  });
});
