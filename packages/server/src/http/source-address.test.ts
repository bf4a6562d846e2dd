import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainAddress, trustedProxies } from '@countersign/protocol';
import { sourceAddress } from './source-address.ts';

const NOBODY = trustedProxies([]);
const PROXIES = trustedProxies(['10.0.0.0/8', '2001:db8:ff::/48', '192.0.2.1']);
const forwarded = (...values: string[]): string[] => values.flatMap((value) => ['X-Forwarded-For', value]);

describe('the address of a caller', () => {
  it.each<[string, string, string[], string]>([
    ['is the peer that nobody vouches for', '203.0.113.9', [], '203.0.113.9'],
    [
      'is the peer, whatever an undeclared one claims',
      '203.0.113.9',
      forwarded('198.51.100.1'),
      '203.0.113.9',
    ],
    ['is what a declared proxy says', '10.1.2.3', forwarded('198.51.100.1'), '198.51.100.1'],
    [
      'is the last that is no proxy; what stands before it was written by the caller',
      '10.1.2.3',
      forwarded('1.1.1.1, 198.51.100.1'),
      '198.51.100.1',
    ],
    [
      'is found behind a chain of proxies',
      '10.1.2.3',
      forwarded('1.1.1.1, 198.51.100.1, 10.9.9.9, 192.0.2.1'),
      '198.51.100.1',
    ],
    [
      'is found over several headers, in their order',
      '10.1.2.3',
      forwarded('1.1.1.1', '198.51.100.1', '10.9.9.9'),
      '198.51.100.1',
    ],
    ['is told with its port by some proxies', '10.1.2.3', forwarded('198.51.100.1:4711'), '198.51.100.1'],
    ['… and so is an IPv6 address', '10.1.2.3', forwarded('[2001:db8::1]:443'), '2001:db8::1'],
    ['is the proxy where it says nothing', '10.1.2.3', [], '10.1.2.3'],
    ['is the proxy where only proxies are named', '10.1.2.3', forwarded('10.1.1.1, 10.2.2.2'), '10.1.2.3'],
    ['is the proxy where it says nonsense', '10.1.2.3', forwarded('unknown'), '10.1.2.3'],
    ['is never what stands before nonsense', '10.1.2.3', forwarded('198.51.100.1, , 10.2.2.2'), '10.1.2.3'],
    ['is no name', '10.1.2.3', forwarded('localhost'), '10.1.2.3'],
    ['has no leading zeros', '10.1.2.3', forwarded('198.051.100.001'), '10.1.2.3'],
    ['may be of IPv6', '2001:db8:ff::7', forwarded('2001:db8:1::9'), '2001:db8:1::9'],
    [
      'is an IPv4 address where IPv6 only wraps it',
      '10.1.2.3',
      forwarded('::ffff:198.51.100.1'),
      '198.51.100.1',
    ],
    ['is that also in hexadecimal', '10.1.2.3', forwarded('::ffff:c633:6401'), '198.51.100.1'],
    ['is that also in full length', '10.1.2.3', forwarded('0:0:0:0:0:FFFF:198.51.100.1'), '198.51.100.1'],
    [
      'is a proxy also when it is wrapped',
      '10.1.2.3',
      forwarded('198.51.100.1, ::ffff:10.4.4.4'),
      '198.51.100.1',
    ],
    ['has one spelling', '10.1.2.3', forwarded('2001:DB8:0:0:0::0001'), '2001:db8::1'],
    ['has no zone', '10.1.2.3', forwarded(`fe80::1%${'a'.repeat(500)}`), 'fe80::1'],
  ])('%s', (_, peer, headers, expected) => expect(sourceAddress(peer, headers, PROXIES)).toBe(expected));

  it('is nothing when the peer is gone already', () => {
    expect(sourceAddress('', forwarded('198.51.100.1'), PROXIES)).toBe('');
    expect(sourceAddress('', [], NOBODY)).toBe('');
  });

  it('is an address whatever is written, and never one that the caller chose itself (property)', () => {
    const junk = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('::ffff:1.2.3.4', '10.0.0.1', 'unknown', '"', '_hidden', '::', '%', ','),
    );
    fc.assert(
      fc.property(fc.array(junk), fc.ipV4(), (written, real) => {
        const peer = '203.0.113.9';
        expect(sourceAddress(peer, forwarded(written.join(', ')), PROXIES)).toBe(peer);
        const behind = sourceAddress('10.1.2.3', forwarded(...written, real), PROXIES);
        if (!PROXIES.trusts(real)) expect(behind).toBe(real);
        expect(sourceAddress('10.1.2.3', forwarded(...written), PROXIES)).toMatch(/^[0-9a-f.:]+$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('has one spelling where the socket gives it, too', () => {
    expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(plainAddress('192.0.2.1')).toBe('192.0.2.1');
    expect(plainAddress('2001:db8::1')).toBe('2001:db8::1');
    expect(plainAddress(undefined)).toBe('');
  });
});

describe('the declared proxies', () => {
  it('are addresses and blocks of both families', () => {
    for (const address of ['10.0.0.0', '10.255.255.255', '192.0.2.1', '2001:db8:ff::1', '::ffff:10.1.1.1'])
      expect(PROXIES.trusts(address), address).toBe(true);
    for (const address of ['11.0.0.0', '192.0.2.2', '2001:db8:fe::1', '::1', '', 'junk'])
      expect(PROXIES.trusts(address), address).toBe(false);
    expect(NOBODY.trusts('127.0.0.1')).toBe(false);
  });

  it.each([
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/0x8',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
    '::/129',
    'proxy',
    '',
    '10.0.0',
    '10.0.0.0/255.0.0.0',
    '*',
  ])('are refused when one is neither: %j', (block) =>
    expect(() => trustedProxies([block])).toThrow('is not an address or a CIDR block'),
  );
});

it('nobody declares the whole network a proxy', () => {
  expect(() => trustedProxies(['0.0.0.0/0'])).toThrow('whole network');
  expect(() => trustedProxies(['::/0'])).toThrow('whole network');
});
