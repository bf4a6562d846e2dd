import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessConditions } from './access-conditions.ts';
import { contains, holds, parseAddress, parseNetwork } from './network.ts';
import type { IssuanceFacts } from './rule.ts';
import { isWithin, type TimeWindow } from './time-window.ts';

function verdict(change: Partial<IssuanceFacts>): unknown {
  const facts = { now: 0, source: '192.0.2.7', boundTo: undefined, ...change } as IssuanceFacts;
  const found = accessConditions.evaluate(facts);
  return found.kind === 'refuse' ? found.reason : found.kind;
}

describe('networks', () => {
  it.each([
    [['192.0.2.0/24'], '192.0.2.7', 'allow'],
    [['192.0.2.0/24'], '192.0.3.7', 'network_not_allowed'],
    [['198.51.100.0/24', '192.0.2.7/32'], '192.0.2.7', 'allow'],
    [['192.0.2.0/24'], '::ffff:192.0.2.7', 'allow'],
    [['::ffff:192.0.2.0/120'], '192.0.2.7', 'allow'],
    [['2001:db8::/32'], '2001:db8:1::1', 'allow'],
    [['2001:db8::/32'], '2001:db9::1', 'network_not_allowed'],
    [['2001:db8::/32'], '192.0.2.7', 'network_not_allowed'],
    [['192.0.2.0/24'], undefined, 'network_not_allowed'],
    [['192.0.2.0/24'], 'unix', 'network_not_allowed'],
  ] as const)('%j from %s: %s', (networks, source, expected) => {
    expect(verdict({ conditions: { networks }, source })).toBe(expected);
  });

  it('are judged as the platform judges them', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 }), fc.ipV4());
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 128 }), fc.ipV6());
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([base, prefix, other]) => {
        const list = new BlockList();
        const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
        list.addSubnet(base, prefix, family);
        const network = parseNetwork(`${base}/${prefix}`);
        for (const address of [base, other]) {
          const parsed = parseAddress(address);
          if (network === undefined || parsed === undefined) throw new Error('not read');
          if (network.width !== parsed.width) continue;
          expect(contains(network, parsed)).toBe(list.check(address, family));
        }
      }),
    );
  });

  it('hold each other as their addresses do', () => {
    const held = (outer: string, inner: string): boolean =>
      holds(parseNetwork(outer) as never, parseNetwork(inner) as never);
    expect(held('10.0.0.0/8', '10.1.0.0/16')).toBe(true);
    expect(held('10.1.0.0/16', '10.0.0.0/8')).toBe(false);
    expect(held('10.0.0.0/8', '11.0.0.0/16')).toBe(false);
    expect(held('::/1', '10.0.0.0/8')).toBe(false);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '2001:db8::/129',
    '1.2.3',
    '01.2.3.4',
    '::1::',
    '1:2:3:4:5:6:7:8:9',
    '::g',
    '10.0.0.0/-1',
  ])('what is no block is none: %s', (text) => expect(parseNetwork(text)).toBeUndefined());
});

describe('times', () => {
  const office: TimeWindow = {
    days: ['mon', 'fri'],
    from: '08:00',
    to: '18:00',
    time_zone: 'Europe/Amsterdam',
  };
  const night: TimeWindow = { days: ['fri'], from: '22:00', to: '06:00', time_zone: 'UTC' };
  const day: TimeWindow = { days: ['sun'], from: '00:00', to: '24:00', time_zone: 'UTC' };

  it.each([
    // 30 November 2026 is a Monday, at UTC+1 there; 29 June 2026 one at UTC+2.
    [office, '2026-11-30T06:59:59Z', false],
    [office, '2026-11-30T07:00:00Z', true],
    [office, '2026-11-30T16:59:59Z', true],
    [office, '2026-11-30T17:00:00Z', false],
    [office, '2026-06-29T06:00:00Z', true],
    [office, '2026-06-29T16:00:00Z', false],
    [office, '2026-12-01T09:00:00Z', false],
    [night, '2026-12-04T21:59:59Z', false],
    [night, '2026-12-04T22:00:00Z', true],
    [night, '2026-12-05T05:59:59Z', true],
    [night, '2026-12-05T06:00:00Z', false],
    [night, '2026-12-05T22:00:00Z', false],
    [day, '2026-11-29T00:00:00Z', true],
    [day, '2026-11-29T23:59:59Z', true],
    [day, '2026-11-30T00:00:00Z', false],
  ])('%j at %s: %s', (window, at, expected) => {
    expect(isWithin(window, Date.parse(at))).toBe(expected);
  });

  it('in the hour that a clock repeats are windows open twice, in the one it skips never', () => {
    const window: TimeWindow = { days: ['sun'], from: '02:00', to: '03:00', time_zone: 'Europe/Amsterdam' };
    expect(isWithin(window, Date.parse('2026-10-25T00:30:00Z'))).toBe(true);
    expect(isWithin(window, Date.parse('2026-10-25T01:30:00Z'))).toBe(true);
    expect(isWithin(window, Date.parse('2026-03-29T00:59:59Z'))).toBe(false);
    expect(isWithin(window, Date.parse('2026-03-29T01:00:00Z'))).toBe(false);
  });

  it('in a zone that the platform does not know are never', () => {
    expect(isWithin({ ...day, time_zone: 'Mars/Olympus' }, Date.parse('2026-11-29T12:00:00Z'))).toBe(false);
  });
});

describe('binding', () => {
  it.each([
    ['any', undefined, 'binding_required'],
    ['any', 'dpop', 'allow'],
    ['any', 'mtls', 'allow'],
    ['dpop', 'mtls', 'binding_required'],
    ['mtls', 'mtls', 'allow'],
  ] as const)('%s, bound to %s: %s', (binding, boundTo, expected) => {
    expect(verdict({ conditions: { binding }, boundTo })).toBe(expected);
  });
});

it('without conditions everything is allowed', () => {
  expect(verdict({ conditions: undefined, source: undefined })).toBe('allow');
});
