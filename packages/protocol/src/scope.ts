// Access token scope: RFC 6749 §3.3.

declare const scopeTokenBrand: unique symbol;

/** One scope token: `1*( %x21 / %x23-5B / %x5D-7E )`, case-sensitive. */
export type ScopeToken = string & { readonly [scopeTokenBrand]: true };

const MAX_SCOPE_CHARS = 8192;
const MAX_SCOPE_TOKENS = 1000;
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** Reads a single scope token; `undefined` when it is not one. */
export function parseScopeToken(text: string): ScopeToken | undefined {
  return text.length <= MAX_SCOPE_CHARS && SCOPE_TOKEN.test(text) ? (text as ScopeToken) : undefined;
}

/**
 * Reads a scope parameter: tokens parted by exactly one space, none at either end. Repeated tokens are dropped,
 * order is kept. `undefined` for anything else, for more than 8,192 characters and for more than 1,000 tokens.
 */
export function parseScope(text: string): readonly ScopeToken[] | undefined {
  if (text.length > MAX_SCOPE_CHARS) return undefined;
  // By hand: every token that is verified has one, and a regular expression and `split` cost four times as much.
  const tokens: ScopeToken[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = at === text.length ? SPACE : text.charCodeAt(at);
    if (char === SPACE) {
      if (at === start || tokens.length === MAX_SCOPE_TOKENS) return undefined;
      tokens.push(text.slice(start, at) as ScopeToken);
      start = at + 1;
    } else if (char < SPACE || char > 0x7e || char === 0x22 || char === 0x5c) return undefined;
  }
  return areRepeated(tokens) ? [...new Set(tokens)] : tokens;
}

const SPACE = 0x20;

/** Of many it is said without looking: a set finds out sooner. */
function areRepeated(tokens: readonly string[]): boolean {
  return tokens.length > 8 || tokens.some((token, at) => tokens.indexOf(token) !== at);
}

/** Writes scope tokens as a scope parameter. */
export function formatScope(tokens: readonly ScopeToken[]): string {
  return tokens.join(' ');
}
