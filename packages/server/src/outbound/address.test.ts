import { expect, it } from 'vitest';
import { isAllowedAddress, isPublicAddress, parseOutboundAllow } from './address.ts';

it('public addresses are public', () => {
  for (const address of [
    '1.1.1.1',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.0',
    '100.128.0.0',
    '2606:4700::1111',
  ]) {
    expect([address, isPublicAddress(address)]).toEqual([address, true]);
  }
});

it('what is no address is not public', () => {
  for (const text of ['', 'localhost', '8.8.8', '010.8.8.8', '2606:4700::1%eth0']) {
    expect([text, isPublicAddress(text)]).toEqual([text, false]);
  }
});

it('an entry is a host name, an address or a block, and nothing that could be read otherwise', () => {
  for (const entry of ['issuer.internal', 'kubernetes', '10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', 'x1']) {
    expect([entry, parseOutboundAllow([entry]).ok]).toEqual([entry, true]);
  }
  for (const entry of [
    '',
    '*',
    '*.internal',
    '.internal',
    'https://issuer',
    'issuer:8443',
    'issuer/path',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '127.1',
    '2130706433',
    '0x7f000001',
    '-a',
  ]) {
    expect([entry, parseOutboundAllow([entry]).ok]).toEqual([entry, false]);
  }
});

it('a name lets its own addresses through, a block those in it', () => {
  const read = parseOutboundAllow(['issuer.internal', '10.1.0.0/16']);
  if (!read.ok) throw new Error(read.entry);
  expect(isAllowedAddress(read.allow, 'issuer.internal', '192.168.0.1')).toBe(true);
  expect(isAllowedAddress(read.allow, 'other.internal', '192.168.0.1')).toBe(false);
  expect(isAllowedAddress(read.allow, 'sub.issuer.internal', '192.168.0.1')).toBe(false);
  expect(isAllowedAddress(read.allow, 'other.internal', '10.1.2.3')).toBe(true);
  expect(isAllowedAddress(read.allow, 'other.internal', '10.2.0.1')).toBe(false);
});
