import { expect, test } from 'vitest';
import { limitedToOwn, PERMISSIONS, ROLES, SCOPE_ROLES, scopesOfRoles } from './roles.ts';
import { isPeopleScope } from './roles.ts';
import { operationIds, operations } from './operations.ts';

test('an admin may do everything', () => {
  expect(scopesOfRoles(['admin'])).toEqual(PERMISSIONS);
});

test('an auditor reads all and changes nothing', () => {
  expect(scopesOfRoles(['auditor'])).toEqual(PERMISSIONS.filter((scope) => scope.endsWith(':read')));
});

test('an operator changes what is there and decides nothing', () => {
  const held = scopesOfRoles(['operator']);
  // What is offered to it is nobody else's to accept.
  expect(held.filter(isPeopleScope)).toEqual(['ownership:accept']);
  expect(PERMISSIONS.filter((scope) => !isPeopleScope(scope) && !held.includes(scope))).toEqual([
    'trusted-issuers:write',
    'trust-domains:write',
    'approval-rules:write',
    'policies:write',
  ]);
});

test('who approves or reviews changes nothing else', () => {
  for (const role of ['approver', 'reviewer'] as const) {
    const writes = scopesOfRoles([role]).filter((scope) => scope.endsWith(':write'));
    expect(writes.filter((scope) => !isPeopleScope(scope))).toEqual([]);
  }
});

test('only the admin says whose tokens are believed, what waits for people, and what is allowed', () => {
  expect(SCOPE_ROLES['policies:write']).toEqual(['admin']);
  expect(SCOPE_ROLES['trusted-issuers:write']).toEqual(['admin']);
  expect(SCOPE_ROLES['approval-rules:write']).toEqual(['admin']);
});

test('an owner is limited to its own, unless another role of the same person holds the scope too', () => {
  expect(limitedToOwn(['owner'], 'identities:write')).toBe(true);
  expect(limitedToOwn(['owner', 'auditor'], 'identities:write')).toBe(true);
  expect(limitedToOwn(['owner', 'operator'], 'identities:write')).toBe(false);
  expect(limitedToOwn(['auditor'], 'identities:write')).toBe(false);
});

test('nobody without a role may do anything, and every role may do something', () => {
  expect(scopesOfRoles([])).toEqual([]);
  for (const role of ROLES) expect(scopesOfRoles([role]).length).toBeGreaterThan(5);
});

test('what only people decide is decided by no scope that a machine can hold', () => {
  const decisions = operationIds.filter((id) => operations[id].scopes.some(isPeopleScope));
  expect(decisions).toEqual(
    expect.arrayContaining(['identities.approve', 'identities.reject', 'access.approve', 'cutoffs.lift']),
  );
  expect(decisions.every((id) => operations[id].write)).toBe(true);
});
