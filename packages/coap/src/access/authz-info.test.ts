// What /authz-info answers: RFC 9200 §5.10.1, §5.10.1.2; RFC 7252 §5.4.1 for options that it does not know.
import { describe, expect, it } from 'vitest';
import { CODE, type CoapMessage, type CoapOption, numberOption, TYPE } from '../message/coap-message.ts';
import { answerAuthzInfo, isAuthzInfo } from './authz-info.ts';
import type { HeldToken } from './token-store.ts';

const HELD = {} as HeldToken;

function post(options: readonly CoapOption[] = [], change: Partial<CoapMessage> = {}): CoapMessage {
  return {
    type: TYPE.confirmable,
    code: CODE.post,
    messageId: 1,
    token: new Uint8Array(0),
    options,
    payload: Buffer.from('t'),
    ...change,
  };
}

async function codeOf(message: CoapMessage, path = '/authz-info'): Promise<number | undefined> {
  const deps = {
    verifier: { verify: () => Promise.resolve(HELD) },
    store: { add: () => undefined },
    refused: () => undefined,
  };
  const method = message.code === CODE.post ? 'POST' : 'GET';
  return (await answerAuthzInfo(deps, message, { method, path }, '192.0.2.1'))?.code;
}

describe('a token that is brought', () => {
  it('is taken with 2.01, as application/cwt or without a format', async () => {
    expect(await codeOf(post())).toBe(CODE.created);
    expect(await codeOf(post([numberOption(12, 61)]))).toBe(CODE.created);
  });

  it('is taken with options that mean nothing here: elective ones, and those that say where it goes', async () => {
    const options = [
      { number: 3, value: Buffer.from('lock.test') },
      numberOption(7, 5684),
      numberOption(60, 300),
    ];
    expect(await codeOf(post(options))).toBe(CODE.created);
  });

  it.each([
    ['a critical option that nobody knows', { number: 2053, value: new Uint8Array(0) }],
    ['a condition', { number: 5, value: new Uint8Array(0) }],
    ['the first of several blocks', { number: 27, value: Uint8Array.of(0x0a) }],
    ['a later block', { number: 27, value: Uint8Array.of(0x12) }],
  ])('with %s is refused with 4.02, and rejected where nothing confirms it', async (_, option) => {
    expect(await codeOf(post([option]))).toBe(CODE.badOption);
    expect(await codeOf(post([option], { type: TYPE.nonConfirmable }))).toBeUndefined();
  });

  it('in the only block that there is, is whole', async () => {
    expect(await codeOf(post([{ number: 27, value: Uint8Array.of(0x02) }]))).toBe(CODE.created);
  });
});

it('nothing else may be done with it, and nothing is below it (RFC 9200 §5.10.1.2)', async () => {
  expect(await codeOf(post([], { code: CODE.get }))).toBe(CODE.methodNotAllowed);
  expect(await codeOf(post(), '/authz-info/x')).toBe(CODE.methodNotAllowed);
  expect(['/authz-info', '/authz-info/', '/authz-info/x', '/authz-information'].map(isAuthzInfo)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
