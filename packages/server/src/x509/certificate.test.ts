// Reading certificates strictly: RFC 5280 §4.1, X.690; whatever strangers send, the reader ends and never crashes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientAuthority, element, onlyBelow } from '../../test/client-authority.ts';
import { basicConstraints } from '../http/certificate.ts';
import { MAX_CERTIFICATE_BYTES, parseCertificate } from './certificate.ts';
import {
  DerError,
  DerReader,
  onlyElement,
  readInteger,
  readNamedBits,
  readObjectIdentifier,
  readTime,
} from './der.ts';
import { directoryText } from './distinguished-name.ts';
import { validatePath } from './path-validation.ts';
import { readPem } from './pem.ts';
import { parseRevocationList } from './revocation-list.ts';

const NOW = Date.UTC(2026, 10, 29);
const authority = clientAuthority(NOW, 'clients', [onlyBelow('good.test')]);
const leaf = authority.issue({ subject: 'billing', dns: ['a.good.test', 'b.good.test'] });
const list = (readPem(authority.crl([leaf]), 'X509 CRL') as Uint8Array[])[0] as Uint8Array;

function read(der: Uint8Array) {
  const reading = parseCertificate(der);
  if (!reading.ok) throw new Error(reading.fault);
  return reading.certificate;
}

test('a certificate is read as it was made', () => {
  const certificate = read(leaf.der);
  expect(certificate).toMatchObject({
    version: 3,
    ca: false,
    subjectAltNames: [{ text: 'a.good.test' }, { text: 'b.good.test' }],
  });
  expect(certificate.subject.attributes).toEqual([{ type: '2.5.4.3', text: 'billing' }]);
  expect(read(authority.der)).toMatchObject({ ca: true, pathLength: 0 });
});

test('no change of any byte of a certificate passes for it', () => {
  const trust = { authorities: [read(authority.der)], revocation: undefined };
  const verdict = (der: Uint8Array): boolean => {
    const reading = parseCertificate(der);
    return reading.ok && validatePath([reading.certificate], trust, NOW).ok;
  };
  expect(verdict(leaf.der)).toBe(true);
  for (let at = 0; at < leaf.der.length; at++) {
    const changed = Uint8Array.from(leaf.der);
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    expect(verdict(changed), `byte ${at}`).toBe(false);
  }
});

/** Parts replaced, cut out, doubled: of the real ones, so that the reader gets deep into them. */
const mangled = (original: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.record({
        at: fc.nat(original.length - 1),
        cut: fc.nat(8),
        bytes: fc.uint8Array({ maxLength: 8 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((edits) =>
      edits.reduce<Uint8Array>(
        (bytes, { at, cut, bytes: added }) =>
          Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + cut)]),
        original,
      ),
    );

test('no mangled certificate or revocation list makes the reader crash or hang', { timeout: 60_000 }, () => {
  const began = performance.now();
  fc.assert(
    fc.property(mangled(leaf.der), (der) => {
      expect(typeof parseCertificate(der).ok).toBe('boolean');
    }),
    { numRuns: 20_000 },
  );
  fc.assert(
    fc.property(mangled(list), (der) => {
      expect(typeof parseRevocationList(der).ok).toBe('boolean');
    }),
    { numRuns: 10_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (der) => {
      expect(parseCertificate(der).ok).toBe(false);
    }),
    { numRuns: 10_000 },
  );
  expect(performance.now() - began).toBeLessThan(40_000);
});

test('nesting, counts and sizes are bounded', () => {
  let deep: Uint8Array = element(0x05);
  while (deep.length < 10_000) deep = element(0x30, deep);
  expect(parseCertificate(deep).ok).toBe(false);
  expect(parseCertificate(new Uint8Array(MAX_CERTIFICATE_BYTES + 1))).toEqual({
    ok: false,
    fault: 'too large',
  });
  const many = authority.issue({ dns: Array.from({ length: 257 }, (_, i) => `a${i}.good.test`) });
  expect(parseCertificate(many.der)).toEqual({ ok: false, fault: 'too many names' });
  const twice = authority.issue({ extensions: [basicConstraints(false), basicConstraints(false)] });
  expect(parseCertificate(twice.der)).toEqual({ ok: false, fault: 'an extension twice' });
});

test.each([
  ['a long form for a short length', '30810100'],
  ['a length with a leading zero', '3082000100'],
  ['an indefinite length', '30800000'],
  ['a length of four bytes', '308400000000'],
  ['a tag of several bytes', '1f2001ff'],
  ['content that is cut off', '300501'],
  ['something behind it', '050000'],
  ['nothing', ''],
])('encodings that DER does not have are refused: %s', (_, hex) => {
  expect(() => onlyElement(Buffer.from(hex, 'hex'))).toThrow(DerError);
});

test.each([
  ['an integer with a byte too many', readInteger, '02020001'],
  ['an empty integer', readInteger, '0200'],
  ['an arc with a leading zero', readObjectIdentifier, '06032a8003'],
  ['an arc that is cut off', readObjectIdentifier, '06022a83'],
  ['named bits with a zero at the end', readNamedBits, '03020080'.replace('0080', '0480')],
  ['named bits with rubbish in unused ones', readNamedBits, '03020581'],
  ['a 31 February', readTime, '170d3236303233313030303030305a'],
  ['a time without seconds', readTime, '170b323630323238303030305a'],
  ['a time with an offset', readTime, `1711${Buffer.from('260228000000+0100').toString('hex')}`],
])('values that DER does not have are refused: %s', (_, reader, hex) => {
  expect(() => reader(new DerReader(Buffer.from(hex, 'hex')).next())).toThrow(DerError);
});

test.each([
  ['a NUL', '\0'],
  ['a soft hyphen', '\u00ad'],
  ['a joiner', '\u034f'],
  ['a Hangul filler', '\u3164'],
  ['a half-width filler', '\uffa0'],
  ['a variation selector', '\ufe0f'],
  ['one beyond the first plane', '\u{e0100}'],
  ['a tag', '\u{e0041}'],
  ['a Khmer vowel that is not shown', '\u17b4'],
  ['an empty Braille cell', '\u2800'],
  ['a character for private use', '\ue000'],
])('a name with what nobody sees is refused: %s', (_, character) => {
  const value = element(0x0c, Buffer.from(`ad${character}min`));
  expect(() => directoryText(onlyElement(value))).toThrow(DerError);
});

test('years are read as RFC 5280 has them', () => {
  const at = (tag: string, text: string): string =>
    new Date(
      readTime(onlyElement(Buffer.concat([Buffer.from(tag, 'hex'), Buffer.from(text)]))),
    ).toISOString();
  expect(at('170d', '491231235959Z')).toBe('2049-12-31T23:59:59.000Z');
  expect(at('170d', '500101000000Z')).toBe('1950-01-01T00:00:00.000Z');
  expect(at('180f', '99991231235959Z')).toBe('9999-12-31T23:59:59.000Z');
});

test('PEM is taken with the label that is meant, and nothing else beside it', () => {
  const pem = leaf.pem;
  expect(readPem(`a text\n${pem}${pem}`, 'CERTIFICATE')).toHaveLength(2);
  expect(readPem(pem, 'X509 CRL')).toBeUndefined();
  expect(readPem(`${pem}-----BEGIN CERTIFICATE-----\nAAAA`, 'CERTIFICATE')).toBeUndefined();
  expect(readPem(pem.replace('M', '!'), 'CERTIFICATE')).toBeUndefined();
  expect(readPem('', 'CERTIFICATE')).toEqual([]);
});

test.each([
  ['spaces without an end', `-----BEGIN X509 CRL-----${' '.repeat(131_000)}`],
  ['beginnings', '-----BEGIN X509 CRL-----\n'.repeat(5000)],
  ['empty blocks', '-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n'.repeat(2500)],
  ['spaces in a block', `-----BEGIN X509 CRL-----${' '.repeat(130_900)}-----END X509 CRL-----`],
])('PEM as long as a request may hold it is read in no time: %s', (_, text) => {
  const began = performance.now();
  readPem(text, 'X509 CRL');
  expect(performance.now() - began).toBeLessThan(200);
});
