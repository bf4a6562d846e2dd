import { isPeopleScope, type Permission, type Role, SCOPE_ROLES } from '@countersign/admin-api';
import type { TokenScheme } from '@countersign/protocol';
import type { Actor } from '../../audit/change.ts';
import type { SignedInPerson } from '../../registry/signed-in-person.ts';
import { ProblemError } from './problem.ts';

/** Who calls, proved just now. */
export interface Admin {
  readonly actor: Actor;
  /** How the token was presented. */
  readonly scheme: TokenScheme;
  /** What the token is bound to, which was proved. */
  readonly boundTo: 'dpop' | 'mtls' | undefined;
  /** What the token holds and its access, or its person's roles, still hold. */
  readonly scopes: ReadonlySet<string>;
  /** Of them what the caller holds for everything there is: who acts only on its own gives nothing of this API away. */
  readonly unlimited: ReadonlySet<string>;
  /** Absent: a machine. */
  readonly person?: AdminPerson | undefined;
}

/** A person, with the roles that it had when it signed in. */
export interface AdminPerson extends SignedInPerson {
  readonly roles: readonly Role[];
  /** Of the token that it came with. */
  readonly jti: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** The person who calls. Throws `needs_people` when it is a machine: some things are decided by people alone. */
export function requirePeople(admin: Admin): AdminPerson {
  if (admin.person !== undefined) return admin.person;
  throw new ProblemError('needs_people', {
    detail: 'a person who has signed in decides this (countersign login), not a machine',
  });
}

/** What is missing to do what needs these scopes. Throws `needs_people` for a machine where only people may have them. */
export function missingScopes(admin: Admin, scopes: readonly Permission[]): readonly Permission[] {
  if (scopes.some(isPeopleScope)) requirePeople(admin);
  return scopes.filter((scope) => !admin.scopes.has(scope));
}

/** Says what somebody lacks, and, to a person, who would have it. */
export function lackOf(admin: Admin, missing: readonly Permission[]): string {
  const what = `this needs ${missing.join(', ')}`;
  if (admin.person === undefined) return what;
  const roles = missing.map((scope) => SCOPE_ROLES[scope].join(' or '));
  return `${what}: of the role ${[...new Set(roles)].join(', and ')}`;
}
