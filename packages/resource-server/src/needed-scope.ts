// The scope that a request needs: RFC 6749 §3.3, RFC 6750 §3.1 (insufficient_scope).
import { type AccessTokenClaims, parseScope, type ScopeToken } from '@countersign/protocol/portable';
import type { Finding } from './finding.ts';

/** What a token lacks of what is needed. */
export function missingScope(claims: AccessTokenClaims, scope: readonly ScopeToken[]): Finding | undefined {
  for (const needed of scope) if (!claims.scope.includes(needed)) return { reason: 'insufficient_scope' };
  return undefined;
}

export interface ScopeReader {
  /** @throws TypeError for what is not a scope */
  read(scope: string | readonly string[] | undefined): readonly ScopeToken[];
}

/** Reads scopes that routes need, which are always the same few. */
export function createScopeReader(): ScopeReader {
  const known = new Map<string, readonly ScopeToken[]>();
  return {
    read(scope) {
      if (scope === undefined || scope.length === 0) return NO_SCOPE;
      if (typeof scope !== 'string') return neededScope(scope.join(' '));
      const before = known.get(scope);
      if (before !== undefined) return before;
      const read = neededScope(scope);
      if (known.size < MAX_SCOPES) known.set(scope, read);
      return read;
    },
  };
}

const NO_SCOPE: readonly ScopeToken[] = [];
const MAX_SCOPES = 1000;

/** A scope that cannot be one is a mistake in the API's own code, so it is loud. */
function neededScope(scope: string): readonly ScopeToken[] {
  const tokens = parseScope(scope);
  if (tokens === undefined) throw new TypeError('scope: not a scope (RFC 6749 §3.3)');
  return tokens;
}
