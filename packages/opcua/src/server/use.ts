// What is used of a token's scopes, for the verifier's use counting (`usage`): a session is one long request, so each scope counts when
// it is needed, once a minute and session.
import type { Verifier } from '@countersign/resource-server';
import type { NodeOpcua } from '../node-opcua.ts';
import type { Rights } from './scope-rights.ts';
import type { OnPermission, TokenSession } from './token-session.ts';

export type CountUse = OnPermission;

const EVERY_MS = 60_000;

export interface UseDeps {
  readonly verifier: Pick<Verifier, 'verify'>;
  readonly rights: Rights;
  readonly opcua: Pick<NodeOpcua, 'PermissionFlag'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Where a scope is missing, that is what the verifier is told as well: as a refusal, which never counts as use. */
export function createUse({ verifier, rights, opcua, now }: UseDeps): CountUse {
  const { Browse } = opcua.PermissionFlag;
  const counted = new WeakMap<TokenSession, Map<string, number>>();

  return (held, permission, granted) => {
    // Looking around is what every client does before anything else; it says nothing about what is needed.
    if (permission === Browse || held.ended !== undefined) return;
    const scope = rights.scopeFor(permission, held.scopes);
    // Granted or refused by what one node says of a role, beside the scopes.
    if (scope === undefined || granted !== held.scopes.includes(scope)) return;
    const times = counted.get(held) ?? new Map<string, number>();
    counted.set(held, times);
    const at = now();
    if (at - (times.get(scope) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    times.set(scope, at);
    // It never throws, and what it finds is the business of the watch.
    void verifier.verify(held.presented.token, { scope, certificate: held.presented.certificate });
  };
}
