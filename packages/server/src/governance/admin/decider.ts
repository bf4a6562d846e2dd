import type { Decision } from '../../registry/approval/decide.ts';
import { type Admin, requirePeople } from './admin.ts';
import { ProblemError } from './problem.ts';

/** The person who calls, as one who decides. Throws `needs_people` for a machine. */
export function deciderOf(admin: Admin): Decision['person'] {
  const { issuer, subject, handle, roles, teams } = requirePeople(admin);
  return { kind: 'person', issuer, subject, handle, roles, teams };
}

/** Throws unless a person with the role admin calls. */
export function requireAdminPerson(admin: Admin): void {
  if (requirePeople(admin).roles.includes('admin')) return;
  throw new ProblemError('not_an_approver', { detail: 'this takes a person with the role admin' });
}
