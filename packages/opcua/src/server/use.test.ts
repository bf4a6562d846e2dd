// What the verifier is told of use: once a minute for each scope and session.
import { expect, test, vi } from 'vitest';
import { readRights, SCOPE_RIGHTS } from './scope-rights.ts';
import type { TokenSession } from './token-session.ts';
import { createUse } from './use.ts';

const FLAGS = { Browse: 1, Read: 32, Write: 64, Call: 4096, ReadHistory: 128, ReceiveEvents: 2048 };
const opcua = {
  PermissionFlag: new Proxy(FLAGS, { get: (known, name) => Reflect.get(known, name) ?? 8 }),
  WellKnownRoles: new Proxy(
    {},
    { get: () => 1, getOwnPropertyDescriptor: () => ({ configurable: true, value: 1 }) },
  ),
  resolveNodeId: (id: string | number) => id,
} as never;

function open(scopes: readonly string[]) {
  let now = 1_000_000;
  const verify = vi.fn<(token: string, request: { readonly scope: string }) => Promise<never>>();
  const count = createUse({
    verifier: { verify },
    rights: readRights(opcua, SCOPE_RIGHTS, undefined),
    opcua,
    now: () => now,
  });
  const held = {
    scopes,
    ended: undefined,
    presented: { token: 't', certificate: undefined },
  } as unknown as TokenSession;
  const told = () => verify.mock.calls.map(([, { scope }]) => scope);
  return { count, held, told, later: (ms: number) => (now += ms) };
}

test('each scope counts when it is needed, once a minute', () => {
  const { count, held, told, later } = open(['opcua.read', 'opcua.write']);
  for (let times = 0; times < 5; times++) count(held, FLAGS.Read, true);
  count(held, FLAGS.Write, true);
  expect(told()).toEqual(['opcua.read', 'opcua.write']);
  later(59_000);
  count(held, FLAGS.Read, true);
  later(2000);
  count(held, FLAGS.Read, true);
  expect(told()).toEqual(['opcua.read', 'opcua.write', 'opcua.read']);
});

test('looking around is no use', () => {
  const { count, held, told } = open(['opcua.read']);
  count(held, FLAGS.Browse, true);
  expect(told()).toEqual([]);
});

test('what was refused for want of a scope is told as an attempt at that scope', () => {
  const { count, held, told } = open(['opcua.read']);
  count(held, FLAGS.Write, false);
  expect(told()).toEqual(['opcua.write']);
});

test('what one node refuses to a scope that is held is no attempt at it', () => {
  const { count, held, told } = open(['opcua.read']);
  count(held, FLAGS.Read, false);
  expect(told()).toEqual([]);
});
