// A tokenizer for TypeScript and JavaScript that knows just enough to tell code from text: strings, comments, template
// literals (with code inside `${}`) and regular expressions cannot be mistaken for imports. It never fails: what it
// does not understand becomes punctuation, and an unterminated string ends with its line.

/**
 * @typedef {object} Token
 * @property {'name' | 'number' | 'string' | 'template' | 'regex' | 'punctuation'} kind
 * @property {string} value  the text without quotes; of a template with substitutions, the empty string
 * @property {number} line   1-based
 * @property {boolean} [whole]  of a template: it has no substitution, so `value` is all of it
 */

/** After these names an expression begins, so a slash opens a regular expression. */
const BEFORE_EXPRESSION = new Set(
  'return typeof case in of delete void throw new instanceof await yield do else extends default'.split(' '),
);
/** `if (…) /re/` : the closing parenthesis of these ends a condition, not an operand. */
const CONDITION = new Set(['if', 'while', 'for', 'with']);
const NAME_START = /[\p{ID_Start}$_#@]/u;
const NAME = /[\p{ID_Continue}$\u200c\u200d]+/uy;
const NUMBER = /(?:0[xXbBoO])?[\da-fA-F_]+(?:\.[\d_]+)?(?:[eE][+-]?\d+)?n?/y;

/** @param {string} text @returns {Token[]} */
export function tokensOf(text) {
  return new Tokenizer(text).run();
}

class Tokenizer {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = text.startsWith('#!') ? lineEnd(text, 0) : 0;
    this.line = 1;
    /** @type {Token[]} */
    this.out = [];
    /** What each open brace is: code, or the substitution of a template. @type {('code' | 'template')[]} */
    this.braces = [];
    /** Whether each open parenthesis belongs to `if (…)` and the like. @type {boolean[]} */
    this.parens = [];
    this.afterCondition = false;
  }

  run() {
    while (this.at < this.text.length) this.step();
    return this.out;
  }

  step() {
    const c = this.text[this.at] ?? '';
    const next = this.text[this.at + 1];
    if (c === '\n') this.line++;
    if (/\s/.test(c)) this.at++;
    else if (c === '/' && next === '/') this.at = lineEnd(this.text, this.at);
    else if (c === '/' && next === '*') this.skipTo('*/', 2);
    else if (c === '"' || c === "'") this.string(c);
    else if (c === '`') this.template(1);
    else if (c === '}' && this.braces.at(-1) === 'template') this.resumeTemplate();
    else if (c === '/' && this.regexMayStart()) this.regex();
    else if (/\d/.test(c)) this.match(NUMBER, 'number');
    else if (NAME_START.test(c) || (this.text.codePointAt(this.at) ?? 0) > 0xffff) this.name();
    else this.punctuation(c);
  }

  /** @param {Token['kind']} kind @param {string} value */
  push(kind, value, line = this.line) {
    this.afterCondition = false;
    this.out.push({ kind, value, line });
  }

  name() {
    const first = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0);
    NAME.lastIndex = this.at + first.length;
    const rest = NAME.exec(this.text)?.[0] ?? '';
    this.push('name', first + rest);
    this.at += first.length + rest.length;
  }

  /** @param {RegExp} pattern @param {Token['kind']} kind */
  match(pattern, kind) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? this.text[this.at] ?? '';
    this.push(kind, found);
    this.at += found.length;
  }

  /** @param {string} end @param {number} skip */
  skipTo(end, skip) {
    const found = this.text.indexOf(end, this.at + skip);
    const stop = found < 0 ? this.text.length : found + end.length;
    this.countLines(this.at, stop);
    this.at = stop;
  }

  /** @param {number} from @param {number} to */
  countLines(from, to) {
    for (let i = from; i < to; i++) if (this.text[i] === '\n') this.line++;
  }

  /** @param {string} quote */
  string(quote) {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== quote && this.text[end] !== '\n') {
      end += this.text[end] === '\\' ? 2 : 1;
    }
    const line = this.line;
    this.countLines(this.at, Math.min(end, this.text.length));
    this.push('string', this.text.slice(this.at + 1, end), line);
    this.at = this.text[end] === quote ? end + 1 : end;
  }

  resumeTemplate() {
    this.braces.pop();
    this.template(1, true);
  }

  /** Reads from a backtick, or from the brace that closes a substitution. @param {number} skip */
  template(skip, resumed = false) {
    const start = this.at + skip;
    const line = this.line;
    let end = start;
    while (end < this.text.length) {
      const c = this.text[end];
      if (c === '`') break;
      if (c === '$' && this.text[end + 1] === '{') break;
      end += c === '\\' ? 2 : 1;
    }
    this.countLines(this.at, Math.min(end, this.text.length));
    const closed = this.text[end] === '`' || end >= this.text.length;
    const whole = closed && !resumed;
    this.push('template', whole ? this.text.slice(start, end) : '', line);
    const token = this.out.at(-1);
    if (token) token.whole = whole;
    if (closed) {
      this.at = end + 1;
    } else {
      this.braces.push('template');
      this.out.push({ kind: 'punctuation', value: '${', line: this.line });
      this.at = end + 2;
    }
  }

  regexMayStart() {
    const last = this.out.at(-1);
    if (!last) return true;
    if (last.kind === 'name') return BEFORE_EXPRESSION.has(last.value) && this.out.at(-2)?.value !== '.';
    if (last.kind === 'punctuation') return last.value === ')' ? this.afterCondition : last.value !== ']';
    return false;
  }

  regex() {
    let end = this.at + 1;
    let inClass = false;
    while (end < this.text.length && this.text[end] !== '\n') {
      const c = this.text[end];
      if (c === '\\') end++;
      else if (c === '[') inClass = true;
      else if (c === ']') inClass = false;
      else if (c === '/' && !inClass) break;
      end++;
    }
    if (this.text[end] !== '/') {
      this.punctuation('/');
      return;
    }
    this.push('regex', this.text.slice(this.at, end + 1));
    this.at = end + 1;
  }

  /** @param {string} c */
  punctuation(c) {
    const before = this.out.at(-1);
    let afterCondition = false;
    if (c === '{') this.braces.push('code');
    if (c === '}') this.braces.pop();
    if (c === '(') this.parens.push(before?.kind === 'name' && CONDITION.has(before.value));
    if (c === ')') afterCondition = this.parens.pop() ?? false;
    this.push('punctuation', c);
    this.afterCondition = afterCondition;
    this.at++;
  }
}

/** @param {string} text @param {number} from */
function lineEnd(text, from) {
  const found = text.indexOf('\n', from);
  return found < 0 ? text.length : found;
}
