// The five subject fields of RFC 8705 §2.1.2, and names as RFC 4514 and RFC 5280 §7 compare them.
import { describe, expect, test } from 'vitest';
import { element } from '../../test/client-authority.ts';
import type { Certificate } from './certificate.ts';
import { DerError, DerReader } from './der.ts';
import { parseDistinguishedName } from './distinguished-name-text.ts';
import { readDistinguishedName } from './distinguished-name.ts';
import { type GeneralName, readGeneralNames } from './general-name.ts';
import { addressBytes, type SubjectField, subjectMatch } from './subject-match.ts';

const CN = '550403';
const [UTF8, PRINTABLE, IA5, TELETEX, BMP] = [0x0c, 0x13, 0x16, 0x14, 0x1e];

function attribute(type: string, tag: number, value: string | Uint8Array): Uint8Array {
  return element(0x30, element(0x06, Buffer.from(type, 'hex')), element(tag, Buffer.from(value)));
}
const rdn = (...attributes: readonly Uint8Array[]): Uint8Array => element(0x31, ...attributes);
const cn = (value: string, tag = UTF8): Uint8Array => rdn(attribute(CN, tag as number, value));
const O = (value: string): Uint8Array => rdn(attribute('55040a', 0x0c, value));
const ou = (value: string): Uint8Array => attribute('55040b', 0x0c, value);

function certificateNamed(...rdns: readonly Uint8Array[]): Certificate {
  const subject = readDistinguishedName(new DerReader(Buffer.concat(rdns)));
  return { subject, subjectAltNames: [] } as unknown as Certificate;
}
function certificateWith(...subjectAltNames: readonly GeneralName[]): Certificate {
  return { subject: { rdns: [], key: '[]', attributes: [] }, subjectAltNames } as unknown as Certificate;
}
function matches(field: SubjectField, value: string, certificate: Certificate): boolean {
  const reading = subjectMatch(field, value);
  if (!reading.ok) throw new Error(reading.fault);
  return reading.match(certificate);
}

describe('a subject', () => {
  test.each([
    ['CN=payments', [cn('payments')]],
    ['cn=PAYMENTS', [cn('payments')]],
    ['2.5.4.3=payments', [cn('payments')]],
    ['CN=payments', [cn('payments', PRINTABLE)]],
    ['CN=payments', [cn('payments', TELETEX)]],
    ['CN=payments', [rdn(attribute(CN, BMP as number, Buffer.from('payments', 'utf16le').swap16()))]],
    ['CN=  two   words '.replace('  t', '\\ t').replace('s ', 's\\ '), [cn('two words')]],
    ['CN=a\\,b\\+c\\"d\\\\e\\;f', [cn('a,b+c"d\\e;f')]],
    ['CN=Z\\C3\\BCrich', [cn('zürich')]],
    ['CN=Zürich', [cn('Zu\u0308rich')]],
    ['CN=#0c087061796d656e7473', [cn('payments')]],
    ['CN=a,O=Example', [O('Example'), cn('a')]],
    ['OU=jobs+CN=a,O=Example', [O('Example'), rdn(attribute(CN, 0x0c, 'a'), ou('jobs'))]],
    ['CN=a+OU=jobs,O=Example', [O('Example'), rdn(attribute(CN, 0x0c, 'a'), ou('jobs'))]],
    [
      'DC=example,DC=org',
      [
        rdn(attribute('0992268993f22c640119', IA5 as number, 'org')),
        rdn(attribute('0992268993f22c640119', IA5 as number, 'example')),
      ],
    ],
  ])('%s is this one', (text, rdns) => {
    expect(matches('subject_dn', text, certificateNamed(...rdns))).toBe(true);
  });

  test.each([
    ['CN=payments', [cn('payments2')]],
    ['CN=a,O=Example', [cn('a'), O('Example')]],
    ['O=Example,CN=a', [O('Example'), cn('a')]],
    ['CN=a,O=Example', [O('Example'), cn('a'), cn('a')]],
    ['CN=a+OU=jobs', [cn('a'), rdn(ou('jobs'))]],
    ['CN=a,OU=jobs', [rdn(attribute(CN, 0x0c, 'a'), ou('jobs'))]],
    ['CN=admin', [cn('аdmin')]],
    ['CN=admin', [cn('ａｄｍｉｎ')]],
    ['CN=admin', [cn('admın')]],
    ['CN=a\\,O=Example', [O('Example'), cn('a')]],
    ['CN=payments', [rdn(attribute('55040a', 0x0c, 'payments'))]],
  ])('%s is not that one', (text, rdns) => {
    expect(matches('subject_dn', text, certificateNamed(...rdns))).toBe(false);
  });

  test.each([
    'payments\0',
    'pay\u200bments',
    '\u202epayments',
    'pay\u00adments',
    'pay\nments',
    'x\ufe0f',
    '\ue000',
  ])('that nobody can read as it is, is not read: %j', (value) => {
    expect(() => certificateNamed(cn(value))).toThrow(DerError);
    expect(parseDistinguishedName(`CN=${value}`).ok).toBe(false);
  });

  test.each([
    ['', 'empty'],
    ['payments', 'type=value'],
    ['/C=CH/CN=payments', 'attribute type'],
    ['C = CH, CN = payments', 'nameopt RFC2253'],
    ['CN=a, O=b', 'nameopt RFC2253'],
    ['CN=a;O=b', 'backslash'],
    ['CN= a', 'backslash'],
    ['CN=a\\\\ ', 'backslash'],
    ['CN=a\\x', 'backslash'],
    ['CN=\\C3', 'UTF-8'],
    ['CN=#0c', 'missing'],
    ['CN=#zz', 'hexadecimal'],
    ['nickname=a', 'attribute type'],
    ['CN=a,', 'type=value'],
  ])('%j is not registered, and the reason helps', (text, reason) => {
    const reading = subjectMatch('subject_dn', text);
    expect(reading.ok ? 'taken' : reading.fault).toContain(reason);
  });
});

describe('a name beside the subject', () => {
  const dns = (text: string): GeneralName => ({ form: 'dns', text });
  const uri = (text: string): GeneralName => ({ form: 'uri', text });
  const email = (text: string): GeneralName => ({ form: 'email', text });
  const ip = (text: string): GeneralName => ({ form: 'ip', bytes: addressBytes(text) as Uint8Array });

  test.each<[SubjectField, string, readonly GeneralName[], boolean]>([
    ['san_dns', 'a.example', [dns('a.example')], true],
    ['san_dns', 'A.example', [dns('b.example'), dns('a.EXAMPLE')], true],
    ['san_dns', 'a.example', [dns('*.example')], false],
    ['san_dns', 'a.example', [dns('a.example.evil.test')], false],
    ['san_dns', 'a.example', [uri('a:a.example'), email('a@a.example')], false],
    ['san_uri', 'spiffe://td/a', [uri('spiffe://td/a')], true],
    ['san_uri', 'spiffe://td/a', [uri('spiffe://TD/a')], false],
    ['san_uri', 'spiffe://td/a', [uri('spiffe://td/a/')], false],
    ['san_uri', 'spiffe://td/a', [uri('spiffe://td/a'), uri('spiffe://td/b')], false],
    ['san_uri', 'spiffe://td/a', [uri('spiffe://td/a'), uri('spiffe://td/a')], false],
    ['san_uri', 'spiffe://td/a', [uri('spiffe://td/a'), dns('td')], true],
    ['san_ip', '192.0.2.1', [ip('192.0.2.1')], true],
    ['san_ip', '192.0.2.1', [ip('::ffff:192.0.2.1')], false],
    ['san_ip', '2001:DB8::1', [ip('2001:db8:0:0::1')], true],
    ['san_email', 'a@Example.org', [email('a@example.ORG')], true],
    ['san_email', 'a@example.org', [email('A@example.org')], false],
  ])('%s %s in %j: %s', (field, value, names, expected) => {
    expect(matches(field, value, certificateWith(...names))).toBe(expected);
  });

  test.each<[SubjectField, string]>([
    ['san_dns', '*.example'],
    ['san_dns', 'a.example.'],
    ['san_dns', 'zürich.example'],
    ['san_dns', 'a b'],
    ['san_uri', 'no-scheme'],
    ['san_uri', 'spiffe://td/ü'],
    ['san_ip', '192.0.2.0/24'],
    ['san_ip', '192.0.2.01'],
    ['san_ip', 'fe80::1%eth0'],
    ['san_email', 'a'],
    ['san_email', 'a@b@c'],
  ])('%s %j is not registered', (field, value) => {
    expect(subjectMatch(field, value).ok).toBe(false);
  });

  test.each([
    ['a NUL', 0x82, 'good.test\0.evil.test'],
    ['a line end', 0x86, 'https://a.test/\r\nb'],
    ['beyond ASCII', 0x82, 'zürich.test'],
    ['an empty label', 0x82, 'a..test'],
    ['a space', 0x82, 'good.test '],
    ['no URI', 0x86, 'nothing'],
    ['two at signs', 0x81, 'a@b@c'],
    ['an address of 5 bytes', 0x87, '12345'],
    ['an unknown form', 0x89, 'x'],
  ])('is not read with %s', (_, tag, text) => {
    expect(() => readGeneralNames(new DerReader(element(tag, Buffer.from(text))))).toThrow(DerError);
  });

  test('addresses are the bytes they stand for', () => {
    const hex = (text: string): string => Buffer.from(addressBytes(text) ?? []).toString('hex');
    expect(hex('1.2.3.4')).toBe('01020304');
    expect(hex('::')).toBe('0'.repeat(32));
    expect(hex('::1')).toBe(`${'0'.repeat(31)}1`);
    expect(hex('2001:db8::')).toBe(`20010db8${'0'.repeat(24)}`);
    expect(hex('::ffff:192.0.2.1')).toBe('00000000000000000000ffffc0000201');
    expect(hex('1:2:3:4:5:6:7:8')).toBe('00010002000300040005000600070008');
  });
});

test('a subject as older OpenSSL prints it is refused with how it is written', () => {
  expect(parseDistinguishedName('/CN=payments/O=Example')).toMatchObject({
    ok: false,
    fault: expect.stringContaining('write CN=payments,O=Example'),
  });
});
