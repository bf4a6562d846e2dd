/**
 * Text of others on a terminal: control characters could move the cursor, colour or hide what follows, and direction
 * marks could reorder it. They are shown as escapes instead.
 */
const UNSAFE =
  /[\u0000-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of text with every unsafe character written as `\n`, `\x1b` or `\u202e`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (char) => SHORT[char] ?? escaped(char));
}

/** The same for text that is already JSON or YAML in double quotes: `\uXXXX`, line breaks of the layout left alone. */
export function visibleInQuotes(text: string): string {
  return text.replace(UNSAFE, (char) => (char === '\n' ? char : unicodeEscape(char)));
}

export function hasUnsafe(text: string): boolean {
  return text.search(UNSAFE) !== -1;
}

function escaped(char: string): string {
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(char);
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
