// Access token scope: RFC 6749 §3.3.

declare const scopeTokenBrand: unique symbol;

/** One scope token: `1*( %x21 / %x23-5B / %x5D-7E )`, case-sensitive. */
export type ScopeToken = string & { readonly [scopeTokenBrand]: true };

const MAX_SCOPE_CHARS = 8192;
const MAX_SCOPE_TOKENS = 1000;
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;

/** Reads a single scope token; `undefined` when it is not one. */
export function parseScopeToken(text: string): ScopeToken | undefined {
  return text.length <= MAX_SCOPE_CHARS && SCOPE_TOKEN.test(text) ? (text as ScopeToken) : undefined;
}

/**
 * Reads a scope parameter: tokens parted by exactly one space, none at either end. Repeated tokens are dropped,
 * order is kept. `undefined` for anything else, for more than 8,192 characters and for more than 1,000 tokens.
 */
export function parseScope(text: string): readonly ScopeToken[] | undefined {
  if (text.length > MAX_SCOPE_CHARS || !SCOPE.test(text)) return undefined;
  const tokens = text.split(' ') as ScopeToken[];
  if (tokens.length > MAX_SCOPE_TOKENS) return undefined;
  return tokens.length === 1 ? tokens : [...new Set(tokens)];
}

/** Writes scope tokens as a scope parameter. */
export function formatScope(tokens: readonly ScopeToken[]): string {
  return tokens.join(' ');
}
