import type { Access } from '@countersign/admin-api';
import type { Use } from '../words/states.ts';

/** States in which an access is there, or asked for: what has ended is history. */
const LIVE: ReadonlySet<Access['state']> = new Set(['active', 'suspended', 'requested']);

export function isLive({ state }: Pick<Access, 'state'>): boolean {
  return LIVE.has(state);
}

/** Whether an access as a whole is used: by one scope is enough. */
export function useOf({ usage }: Pick<Access, 'usage'>): Use {
  return usage?.state ?? 'held';
}

/** Whether one scope of it is used. */
export function useOfScope({ usage }: Pick<Access, 'usage'>, scope: string): Use {
  if (usage === undefined) return 'held';
  return usage.scopes.find((each) => each.scope === scope)?.state ?? 'unknown';
}

export interface Holder {
  readonly clientId: string;
  readonly name: string;
  readonly access: readonly Access[];
}

/** Puts access together by who has it, in the order in which they first come. */
export function byHolder(list: readonly Access[]): readonly Holder[] {
  const holders = new Map<string, Access[]>();
  for (const access of list) {
    if (!isLive(access)) continue;
    const held = holders.get(access.client_id);
    if (held === undefined) holders.set(access.client_id, [access]);
    else held.push(access);
  }
  return [...holders].map(([clientId, access]) => ({ clientId, name: '', access }));
}

export interface Path {
  readonly access: string;
  readonly scope: string;
  readonly resource: string;
  readonly use: Use;
  readonly calls: number;
  readonly lastUsed: string | null;
  readonly state: Access['state'];
}

/** From one identity over each scope to the API: what is drawn as a path, and what is a row of the table beside it. */
export function pathsOf(list: readonly Access[]): readonly Path[] {
  return list.filter(isLive).flatMap((access) =>
    access.scopes.map((scope) => {
      const usage = access.usage?.scopes.find((each) => each.scope === scope);
      return {
        access: access.id,
        scope,
        resource: access.resource,
        use: useOfScope(access, scope),
        calls: usage?.ok ?? 0,
        lastUsed: usage?.last_used ?? null,
        state: access.state,
      };
    }),
  );
}
