// The count of a whole test run and how it is told at the end.

/** A skip whose note begins so is meant (another version, another platform): it fails nowhere. */
const BY_DESIGN = /^by design\b/i;
const SHOWN_PER_FILE = 3;

/** @typedef {import('./progress-reporter.mjs').Results} Results */
/** @typedef {import('./progress-reporter.mjs').Skipped} Skipped */

export class Tally {
  /** @param {boolean} strict  what is skipped because something is missing fails */
  constructor(strict) {
    this.strict = strict;
    this.passed = 0;
    /** @type {string[]} */
    this.failures = [];
    /** @type {Skipped[]} */
    this.skipped = [];
    /** @type {{name: string, why: string}[]} */
    this.missing = [];
  }

  pass(count = 1) {
    this.passed += count;
  }

  /** @param {string} what */
  fail(what) {
    this.failures.push(what);
  }

  /** @param {string} name @param {string} note @param {string} [file] */
  skip(name, note, file = '') {
    if (this.strict && !BY_DESIGN.test(note))
      this.fail(`skipped though COUNTERSIGN_REQUIRE=all: ${[file, name].filter(Boolean).join(' > ')}`);
    else this.skipped.push({ name, note, file });
  }

  /** A service or program that this machine lacks. Its tests skip themselves. @param {string} name @param {string} why */
  absent(name, why) {
    this.missing.push({ name, why });
    if (this.strict) this.fail(`${name} is not available, though COUNTERSIGN_REQUIRE=all: ${why}`);
  }

  /** @param {Results} results */
  add(results) {
    this.pass(results.passed);
    this.failures.push(...results.failures);
    for (const { name, note, file } of results.skipped) this.skip(name, note, file);
  }
}

/** What closes a run: what was skipped and why, what failed, and the line that others read. @param {Tally} tally @param {string} minutes */
export function closingLines(tally, minutes) {
  const lines = [''];
  const box = [
    ...tally.missing.map(({ name, why }) => `missing: ${name}: ${why}`),
    ...skippedByFile(tally.skipped),
  ];
  if (box.length > 0) lines.push(...boxed(`skipped: ${tally.skipped.length}`, box), '');
  if (tally.failures.length > 0)
    lines.push(`failed: ${tally.failures.length}`, ...tally.failures.map((name) => `  ${name}`), '');
  lines.push(`${minutes} minutes`);
  lines.push(`${tally.passed} passed, ${tally.failures.length} failed, ${tally.skipped.length} skipped`);
  return lines;
}

/** @param {Skipped[]} skipped */
function skippedByFile(skipped) {
  /** @type {Map<string, Skipped[]>} */
  const files = new Map();
  for (const each of skipped) files.set(each.file, [...(files.get(each.file) ?? []), each]);
  return [...files].flatMap(([file, tests]) => [
    ...(file ? [`${file}: ${tests.length}${note(tests)}`] : []),
    ...tests.slice(0, SHOWN_PER_FILE).map(({ name }) => `${file ? '  ' : ''}${name}`),
    ...(tests.length > SHOWN_PER_FILE ? [`  and ${tests.length - SHOWN_PER_FILE} more`] : []),
  ]);
}

/** @param {Skipped[]} tests */
function note(tests) {
  const notes = [...new Set(tests.map(({ note }) => note).filter(Boolean))];
  return notes.length > 0 ? ` (${notes.join('; ')})` : '';
}

/** @param {string} title @param {string[]} lines */
function boxed(title, lines) {
  const bar = '─'.repeat(Math.min(100, Math.max(title.length, ...lines.map((line) => line.length)) + 2));
  return [`┌${bar}`, `│ ${title}`, ...lines.map((line) => `│ ${line}`), `└${bar}`];
}
