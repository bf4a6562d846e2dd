// What a source file imports: every way TypeScript has of naming another module.
import { tokensOf } from './tokens.mjs';

/**
 * @typedef {object} Import
 * @property {string | undefined} specifier  undefined when it is computed while the program runs
 * @property {'import' | 'type' | 'export' | 'lazy' | 'require' | 'url'} kind
 * @property {number} line
 */

/** @typedef {import('./tokens.mjs').Token} Token */

/**
 * The imports of a source text, in order: `import`, `import type`, `export … from`, `import()` (also in a type),
 * `require()` and `new URL('./x', import.meta.url)`, which is how a worker is named.
 * @param {string} text @returns {Import[]}
 */
export function importsOf(text) {
  const tokens = tokensOf(text);
  /** @type {Import[]} */
  const found = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token?.kind !== 'name' || tokens[i - 1]?.value === '.') continue;
    const read = READERS.get(token.value)?.(tokens, i);
    if (read) found.push({ ...read, line: token.line });
  }
  return found;
}

/** @typedef {Omit<Import, 'line'> | undefined} Reading */

const READERS = new Map(
  /** @type {[string, (tokens: Token[], at: number) => Reading][]} */ ([
    ['import', readImport],
    ['export', readExport],
    ['require', readRequire],
    ['URL', readUrl],
  ]),
);

/** @param {Token[]} tokens @param {number} at @returns {Reading} */
function readImport(tokens, at) {
  const next = tokens[at + 1];
  if (next?.kind === 'string') return { specifier: next.value, kind: 'import' };
  if (next?.value === '(') return { specifier: literal(tokens[at + 2]), kind: 'lazy' };
  if (next?.kind !== 'name' && next?.value !== '{' && next?.value !== '*') return undefined;
  const specifier = specifierAfterFrom(tokens, at + 1);
  if (specifier === undefined) return undefined;
  const typeOnly =
    next.value === 'type' && !(tokens[at + 2]?.value === 'from' && tokens[at + 3]?.kind === 'string');
  return { specifier, kind: typeOnly ? 'type' : 'import' };
}

/** @param {Token[]} tokens @param {number} at @returns {Reading} */
function readExport(tokens, at) {
  const start = tokens[at + 1]?.value === 'type' ? at + 2 : at + 1;
  if (tokens[start]?.value !== '*' && tokens[start]?.value !== '{') return undefined;
  const specifier = specifierAfterFrom(tokens, start);
  return specifier === undefined ? undefined : { specifier, kind: 'export' };
}

/** @param {Token[]} tokens @param {number} at @returns {Reading} */
function readRequire(tokens, at) {
  const specifier = literal(tokens[at + 2]);
  if (tokens[at + 1]?.value !== '(' || specifier === undefined) return undefined;
  return { specifier, kind: 'require' };
}

/** @param {Token[]} tokens @param {number} at @returns {Reading} */
function readUrl(tokens, at) {
  const [open, first, comma, meta] = tokens.slice(at + 1, at + 5);
  if (open?.value !== '(' || comma?.value !== ',' || meta?.value !== 'import') return undefined;
  const specifier = literal(first);
  return specifier === undefined ? undefined : { specifier, kind: 'url' };
}

/** Walks the clause of an import or export up to `from '…'`. @param {Token[]} tokens @param {number} at */
function specifierAfterFrom(tokens, at) {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    const { kind, value } = /** @type {Token} */ (tokens[i]);
    if (kind === 'punctuation') {
      if (value === '{') depth++;
      else if (value === '}') depth--;
      else if (value !== ',' && value !== '*') return undefined;
    } else if (kind === 'string') {
      if (depth === 0) return undefined; // import { 'a name' as b } is inside braces
    } else if (kind !== 'name') {
      return undefined;
    } else if (depth === 0 && value === 'from' && tokens[i + 1]?.kind === 'string') {
      return tokens[i + 1]?.value;
    } else if (depth === 0 && (value === 'import' || value === 'export')) {
      return undefined;
    }
  }
  return undefined;
}

/** @param {Token | undefined} token */
function literal(token) {
  if (token?.kind === 'string') return token.value;
  return token?.kind === 'template' && token.whole ? token.value : undefined;
}
