// What a scope opens: a role of OPC 10000-3 §4.9.2, and the permissions that the role has by default on every node of which the
// address space says nothing else (§8.55, §5.2.9).
import type { NodeId, NodeOpcua, Permission, RolePermission, WellKnownRole } from '../node-opcua.ts';

export interface ScopeRight {
  /** One of the well-known roles, or the NodeId of a role of the server's own (`ns=1;s=PressOperator`). */
  readonly role: WellKnownRole | (string & {});
  /** On every node without role permissions, outside of namespace 0. */
  readonly permissions: readonly Permission[];
}

/** By scope, as it is registered at the authority. */
export type ScopeRights = { readonly [scope: string]: ScopeRight };

const LOOK: readonly Permission[] = ['Browse', 'Read', 'ReadHistory', 'ReceiveEvents'];

/** Where nothing else is declared. Scopes add up: who writes and reads back holds `opcua.read opcua.write`. */
export const SCOPE_RIGHTS: ScopeRights = {
  'opcua.read': { role: 'Observer', permissions: LOOK },
  'opcua.write': { role: 'Operator', permissions: ['Browse', 'Write'] },
  'opcua.call': { role: 'Supervisor', permissions: ['Browse', 'Call'] },
  'opcua.engineer': {
    role: 'Engineer',
    permissions: [
      ...LOOK,
      'Write',
      'WriteAttribute',
      'WriteHistorizing',
      'InsertHistory',
      'ModifyHistory',
      'Call',
    ],
  },
  // What these two may change is said by the nodes of namespace 0 themselves.
  'opcua.configure': { role: 'ConfigureAdmin', permissions: ['Browse'] },
  'opcua.security': { role: 'SecurityAdmin', permissions: ['Browse'] },
};

/** What is read once of the declared rights. */
export interface Rights {
  /** Of a token with these scopes; undefined where none of them opens anything. */
  rolesOf(scopes: readonly string[]): readonly NodeId[] | undefined;
  /** The scope by which this permission is held or, where none of the held ones is it, would be. */
  scopeFor(permission: number, held: readonly string[]): string | undefined;
  /** Defaults of a namespace. `standard`: namespace 0, whose nodes speak for themselves where it matters. */
  defaults(standard: boolean): readonly RolePermission[];
}

/** Of namespace 0 everybody who is somebody sees what it takes to be a client. */
const STANDARD: readonly Permission[] = ['Browse', 'Read'];
/** What a role may have on nodes of namespace 0 that say nothing themselves: nothing that changes or does anything. */
const STANDARD_MOST: ReadonlySet<Permission> = new Set(LOOK);

/** @throws TypeError where a role or a permission is none */
export function readRights(
  opcua: NodeOpcua,
  declared: ScopeRights,
  anonymous: readonly Permission[] | undefined,
): Rights {
  const flagsOf = (permissions: readonly Permission[]): number =>
    permissions.reduce((flags, permission) => flags | flagOf(opcua, permission), 0);
  const entries = Object.entries(declared).map(([scope, { role, permissions }]) => ({
    scope,
    role: roleId(opcua, role),
    permissions,
    flags: flagsOf(permissions),
  }));
  if (entries.length === 0) throw new TypeError('rights: declare at least one scope');
  const authenticated = roleId(opcua, 'AuthenticatedUser');

  return {
    rolesOf(scopes) {
      const roles = entries.filter(({ scope }) => scopes.includes(scope)).map(({ role }) => role);
      return roles.length === 0 ? undefined : [authenticated, ...roles];
    },
    scopeFor(permission, held) {
      const opening = entries.filter(({ flags }) => (flags & permission) !== 0);
      return (opening.find(({ scope }) => held.includes(scope)) ?? opening[0])?.scope;
    },
    defaults(standard) {
      const byRole = new Map<string, { roleId: NodeId; permissions: number }>();
      const add = (role: NodeId, permissions: number): void => {
        const known = byRole.get(role.toString());
        byRole.set(role.toString(), { roleId: role, permissions: permissions | (known?.permissions ?? 0) });
      };
      for (const { role, permissions } of entries) {
        add(role, flagsOf(standard ? permissions.filter((each) => STANDARD_MOST.has(each)) : permissions));
      }
      if (standard) add(authenticated, flagsOf(STANDARD));
      // Whoever has a session has this role as well: it is a floor for all.
      if (anonymous !== undefined) add(roleId(opcua, 'Anonymous'), flagsOf(standard ? STANDARD : anonymous));
      return [...byRole.values()];
    },
  };
}

function flagOf(opcua: NodeOpcua, permission: Permission): number {
  const flag: unknown = opcua.PermissionFlag[permission];
  if (typeof flag !== 'number') throw new TypeError(`rights: there is no permission ${permission}`);
  return flag;
}

function roleId(opcua: NodeOpcua, role: string): NodeId {
  const known: unknown = Object.hasOwn(opcua.WellKnownRoles, role)
    ? opcua.WellKnownRoles[role as WellKnownRole]
    : undefined;
  if (typeof known === 'number') return opcua.resolveNodeId(known);
  if (!/^(?:ns=\d+;)?[isgb]=/.test(role)) throw new TypeError(`rights: there is no role ${role}`);
  return opcua.resolveNodeId(role);
}
