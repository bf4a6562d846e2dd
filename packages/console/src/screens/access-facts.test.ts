import type { Access } from '@countersign/admin-api';
import { expect, test } from 'vitest';
import { byHolder, pathsOf } from './access-facts.ts';

const BASE = {
  id: 'acs_1',
  client_id: 'payments',
  resource: 'https://fraud.example',
  scopes: ['read', 'write'],
  state: 'active',
} as unknown as Access;

const usage = (read: string): Access['usage'] =>
  ({
    state: read,
    since: '2026-11-01T00:00:00Z',
    coverage: 1,
    last_used: null,
    last_denied: null,
    scopes: [
      {
        scope: 'read',
        state: read,
        ok: 3,
        denied: 0,
        last_used: '2026-11-02T00:00:00Z',
        last_denied: null,
        days: [],
      },
    ],
  }) as Access['usage'];

test('a scope of which nothing was told is unknown, never unused', () => {
  const paths = pathsOf([{ ...BASE, usage: usage('used') }]);
  expect(paths.map(({ scope, use, calls }) => [scope, use, calls])).toEqual([
    ['read', 'used', 3],
    ['write', 'unknown', 0],
  ]);
});

test('of the past use is not told: what was held is held', () => {
  expect(pathsOf([BASE]).map(({ use }) => use)).toEqual(['held', 'held']);
});

test('what has ended is not reached any more', () => {
  const ended = { ...BASE, state: 'revoked' } as Access;
  expect([pathsOf([ended]), byHolder([ended])]).toEqual([[], []]);
});

test('access is put together by who has it, in the order in which they come', () => {
  const other = { ...BASE, id: 'acs_2', client_id: 'billing' };
  const more = { ...BASE, id: 'acs_3', resource: 'https://ledger.example' };
  expect(
    byHolder([BASE, other, more]).map(({ clientId, access }) => [clientId, access.map(({ id }) => id)]),
  ).toEqual([
    ['payments', ['acs_1', 'acs_3']],
    ['billing', ['acs_2']],
  ]);
});
