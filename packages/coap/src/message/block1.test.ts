import { expect, it } from 'vitest';
import { Bodies } from './block1.ts';
import { CODE, type CoapMessage, type CoapOption, numberOption, OPTION, TYPE } from './coap-message.ts';

const LIMITS = { bytes: 64, bodies: 3, bodiesPerPeer: 2, pauseMs: 1000 };

function open(limits: Partial<typeof LIMITS> = {}) {
  let now = 0;
  let nextId = 0;
  const bodies = new Bodies({ ...LIMITS, ...limits }, () => now);
  const take = (
    [number, more, exponent]: readonly [number, boolean, number],
    text: string,
    { peer = 'a', options = [], id = ++nextId }: { peer?: string; options?: CoapOption[]; id?: number } = {},
  ): string | number => {
    const block = numberOption(OPTION.block1, number * 16 + (more ? 8 : 0) + exponent);
    const request: CoapMessage = {
      type: TYPE.confirmable,
      code: CODE.post,
      messageId: id,
      token: new Uint8Array(0),
      options: [...options, block].toSorted((one, other) => one.number - other.number),
      payload: Buffer.from(text),
    };
    const taken = bodies.take(request, peer);
    return taken.kind === 'answer' ? taken.answer.code : Buffer.from(taken.request.payload).toString();
  };
  return { bodies, take, wait: (ms: number) => (now += ms) };
}
const A = 'a'.repeat(16);
const B = 'b'.repeat(16);

it('a body is whole with its last block, whatever size the client goes on with', () => {
  const { take } = open();
  expect([take([0, true, 1], A + B), take([2, true, 0], A), take([3, false, 0], 'end')]).toEqual([
    CODE.continue,
    CODE.continue,
    `${A}${B}${A}end`,
  ]);
});

it('a block that comes again counts once, and the last one has its answer again', () => {
  const { take } = open();
  const again = { id: 900 };
  expect([take([0, true, 0], A), take([1, true, 0], B, again), take([1, true, 0], B, again)]).toEqual([
    CODE.continue,
    CODE.continue,
    CODE.continue,
  ]);
  const last = { id: 901 };
  expect([take([2, false, 0], 'x', last), take([2, false, 0], 'x', last)]).toEqual([
    `${A}${B}x`,
    `${A}${B}x`,
  ]);
  expect(take([2, false, 0], 'x')).toBe(CODE.requestEntityIncomplete);
});

it.each([
  ['a block that is missing', [2, true, 0] as const, A, CODE.requestEntityIncomplete],
  ['a block that is shorter than it says', [1, true, 0] as const, 'short', CODE.badRequest],
  ['a block that is longer than it says', [1, false, 0] as const, `${A}x`, CODE.badRequest],
  ['a size that nobody may have', [1, true, 7] as const, A, CODE.badRequest],
])('%s is refused, and the body can go on', (_, block, text, code) => {
  const { take } = open();
  take([0, true, 0], A);
  expect([take(block, text), take([1, false, 0], 'end')]).toEqual([code, `${A}end`]);
});

it('a body that is too large is refused where that is known first', () => {
  const { take, bodies } = open();
  expect(take([0, true, 0], A, { options: [numberOption(OPTION.size1, 65)] })).toBe(
    CODE.requestEntityTooLarge,
  );
  for (const number of [0, 1, 2, 3]) expect(take([number, true, 0], A)).toBe(CODE.continue);
  expect(take([4, false, 0], 'x')).toBe(CODE.requestEntityTooLarge);
  expect([bodies.begun, take([4, false, 0], 'x')]).toEqual([0, CODE.requestEntityIncomplete]);
});

it('a body that stops is forgotten', () => {
  const { take, wait } = open();
  take([0, true, 0], A);
  wait(1001);
  expect(take([1, false, 0], 'end')).toBe(CODE.requestEntityIncomplete);
});

it('so many begin at once, of one peer and of all; the one that waited longest is forgotten', () => {
  const { take, bodies } = open();
  const of = (tag: number) => ({ options: [numberOption(292, tag)] });
  for (const tag of [1, 2, 3]) take([0, true, 0], A, of(tag));
  expect([bodies.begun, take([1, false, 0], 'x', of(1)), take([1, false, 0], 'x', of(2))]).toEqual([
    2,
    CODE.requestEntityIncomplete,
    `${A}x`,
  ]);
  for (const peer of ['b', 'c', 'd', 'e']) take([0, true, 0], A, { peer });
  expect(bodies.begun).toBe(3);
  expect(take([1, false, 0], 'x', { peer: 'b' })).toBe(CODE.requestEntityIncomplete);
  bodies.forget('c');
  expect(bodies.begun).toBe(2);
});

it('bodies of two peers, and of two resources, never mix', () => {
  const { take } = open();
  const path = { options: [{ number: OPTION.uriPath, value: Buffer.from('x') }] };
  take([0, true, 0], A, { peer: 'a' });
  take([0, true, 0], B, { peer: 'b' });
  expect(take([1, false, 0], 'x', { peer: 'a', ...path })).toBe(CODE.requestEntityIncomplete);
  expect([take([1, false, 0], '1'), take([1, false, 0], '2', { peer: 'b' })]).toEqual([`${A}1`, `${B}2`]);
});
