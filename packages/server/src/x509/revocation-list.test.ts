// Which revocation lists are read at all: RFC 5280 §5.1, §5.2, §5.3. One that speaks of a part only would say "not revoked" of
// what it does not cover.
import { expect, test } from 'vitest';
import { element } from '../../test/client-authority.ts';
import { parseRevocationList } from './revocation-list.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const time = (text: string): Uint8Array => element(0x17, Buffer.from(text));
const ALGORITHM = element(0x30, element(0x06, bytes('2a8648ce3d040302')));
const NAME = element(
  0x30,
  element(0x31, element(0x30, element(0x06, bytes('550403')), element(0x0c, Buffer.from('x')))),
);
const TRUE = element(0x01, bytes('ff'));

const extension = (id: string, critical: boolean, value: Uint8Array = element(0x30)): Uint8Array =>
  element(0x30, element(0x06, bytes(id)), ...(critical ? [TRUE] : []), element(0x04, value));

interface Wanted {
  readonly version?: Uint8Array;
  readonly times?: readonly Uint8Array[];
  readonly entries?: readonly Uint8Array[];
  readonly extensions?: readonly Uint8Array[];
}
const V2 = element(0x02, bytes('01'));
const DATES = [time('261101000000Z'), time('261201000000Z')];

function reading({ version = V2, times = DATES, entries, extensions }: Wanted): string {
  const tbs = element(
    0x30,
    version,
    ALGORITHM,
    NAME,
    ...times,
    ...(entries === undefined ? [] : [element(0x30, ...entries)]),
    ...(extensions === undefined ? [] : [element(0xa0, element(0x30, ...extensions))]),
  );
  const read = parseRevocationList(element(0x30, tbs, ALGORITHM, element(0x03, bytes('00'))));
  return read.ok ? [...read.list.revoked].join(' ') : read.fault;
}
const entry = (...extensions: readonly Uint8Array[]): Uint8Array =>
  element(
    0x30,
    element(0x02, bytes('05')),
    time('261101000000Z'),
    ...(extensions.length === 0 ? [] : [element(0x30, ...extensions)]),
  );

const IDP = '551d1c';

test.each<[string, Wanted]>([
  ['nobody', {}],
  ['05', { entries: [entry()] }],
  ['05', { entries: [entry(extension('551d15', false, element(0x0a, bytes('01'))))] }],
  ['', { extensions: [extension('551d14', false, element(0x02, bytes('0a')))] }],
  ['', { extensions: [extension('2a0304', false)] }],
])('a complete list is read: %s', (revoked, wanted) => {
  expect(reading(wanted)).toBe(revoked === 'nobody' ? '' : revoked);
});

test.each<[string, Wanted]>([
  ['a list that does not cover everything', { extensions: [extension(IDP, true)] }],
  ['a list that does not cover everything', { extensions: [extension(IDP, false)] }],
  [
    'a list with a critical extension: it does not cover everything',
    { extensions: [extension('2a0304', true)] },
  ],
  ['a delta list', { extensions: [extension('551d1b', true, element(0x02, bytes('01')))] }],
  ['a delta list', { extensions: [extension('551d1b', false, element(0x02, bytes('01')))] }],
  ['an extension twice', { extensions: [extension('2a0304', false), extension('2a0304', false)] }],
  ['an entry with a critical extension', { entries: [entry(extension('551d1d', true))] }],
  ['a list without nextUpdate', { times: DATES.slice(0, 1) }],
  ['a list without nextUpdate', { times: DATES.slice(0, 1), entries: [entry()] }],
  ['a version that is not known', { version: element(0x02, bytes('02')) }],
  ['no such time', { times: [time('261301000000Z'), time('261201000000Z')] }],
])('%s is refused', (fault, wanted) => {
  expect(reading(wanted)).toBe(fault);
});

test('a list of version 1 has no extensions', () => {
  const tbs = (...more: readonly Uint8Array[]): Uint8Array =>
    element(0x30, element(0x30, ALGORITHM, NAME, ...DATES, ...more), ALGORITHM, element(0x03, bytes('00')));
  expect(parseRevocationList(tbs()).ok).toBe(true);
  const extended = tbs(element(0xa0, element(0x30, extension('2a0304', false))));
  expect(parseRevocationList(extended)).toEqual({ ok: false, fault: 'extensions need version 2' });
});
