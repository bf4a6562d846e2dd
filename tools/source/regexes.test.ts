import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './report.mjs';
import { tokensOf } from './tokens.mjs';
import { filesUnder } from './tree.mjs';

// Threat 37: no expression that is shipped takes more than linear time. Each is run against long texts of one character and
// of short repeats, which is what makes the others slow.
const LENGTH = 50_000;
const WITHIN_MS = 100;

interface Expression {
  readonly source: string;
  readonly flags: string;
  readonly place: string;
}

function expressionsOf(path: string): Expression[] {
  const tokens = tokensOf(readFileSync(join(ROOT, path), 'utf8'));
  return tokens.flatMap(({ kind, value, line }, at) => {
    if (kind !== 'regex') return [];
    const after = tokens[at + 1];
    const flags = after?.kind === 'name' && /^[dgimsuvy]+$/.test(after.value) ? after.value : '';
    return [{ source: value.slice(1, -1), flags, place: `${path}:${line}` }];
  });
}

/** Those that may be slow, as nothing long ever reaches them. */
const BOUNDED: ReadonlyMap<string, string> = new Map([
  [' +$', 'the help, which is our own text'],
  ['^[a-z:._/-]*[0-9]{0,3}[a-z:._/-]*$', 'at most 64 characters, asked on the same line'],
  ['(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$', 'an IPv6 address, asked two lines before'],
]);

const EXPRESSIONS = filesUnder(ROOT, 'packages')
  .filter((path) => /\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
  .flatMap(expressionsOf)
  .filter(({ source }) => !BOUNDED.has(source));

const REPEATED = [
  ...Array.from('a0A /.-_=,;:"\\%[({<*\t'),
  'a ',
  'a.',
  'a/',
  'a-',
  'a=b,',
  'a="b",',
  '%20',
  '\\"',
  ' ,',
  '\r\n',
  'é',
];

/** What an expression begins with, so that it gets past its beginning: the letters before the first special character. */
function beginning(source: string): string {
  const [letters = ''] = /^\^?((?:[A-Za-z0-9:_-]|\\\/)*)/.exec(source)?.slice(1) ?? [];
  return letters.replaceAll('\\/', '/');
}

function texts(source: string): string[] {
  return ['', beginning(source), `${beginning(source)} `].flatMap((head) =>
    REPEATED.map((each) => `${head}${each.repeat(Math.ceil(LENGTH / each.length))}!`),
  );
}

/** The quickest of a few tries: a machine that has other things to do slows none of them down to a square. */
function milliseconds(expression: RegExp, text: string): number {
  let quickest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5 && quickest > WITHIN_MS; tries++) {
    expression.lastIndex = 0;
    const started = performance.now();
    expression.exec(text);
    quickest = Math.min(quickest, performance.now() - started);
  }
  return quickest;
}

test('threat 37: there are expressions to look at', () => {
  expect(EXPRESSIONS.length).toBeGreaterThan(100);
});

test('threat 37: every expression is through 50 kB at once', { timeout: 120_000 }, () => {
  const slow: string[] = [];
  for (const { source, flags, place } of EXPRESSIONS) {
    const expression = new RegExp(source, flags);
    const worst = texts(source).find((text) => milliseconds(expression, text) > WITHIN_MS);
    if (worst !== undefined)
      slow.push(`${place} /${source}/${flags} on ${JSON.stringify(worst.slice(0, 12))}…`);
  }
  expect(slow).toEqual([]);
});
