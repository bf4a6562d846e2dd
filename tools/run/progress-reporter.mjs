// How vitest tells of a run here: one line that moves (on a terminal) or one every few seconds (in a log), each failure
// as it happens, and a file with the counts and with the name of everything skipped. COUNTERSIGN_TEST_RESULTS names it.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const EVERY_MS = 15_000;

/** @typedef {{name: string, file: string, note: string}} Skipped */
/** @typedef {{passed: number, failed: number, skipped: Skipped[], failures: string[]}} Results */

export default class ProgressReporter {
  constructor() {
    /** @type {Results} */
    this.results = { passed: 0, failed: 0, skipped: [], failures: [] };
    this.files = 0;
    this.filesDone = 0;
    this.lastLine = 0;
    this.live = process.stdout.isTTY === true;
  }

  /** @param {any} vitest */
  onInit(vitest) {
    this.root = vitest.config.root;
  }

  /** @param {unknown[]} specifications */
  onTestRunStart(specifications) {
    this.files = specifications.length;
  }

  /** @param {any} testCase */
  onTestCaseResult(testCase) {
    const result = testCase.result();
    const name = testCase.fullName;
    if (result.state === 'passed') this.results.passed++;
    else if (result.state === 'skipped') this.skip(testCase.module, name, result.note);
    else if (result.state === 'failed') this.fail(testCase.module, name, result.errors);
  }

  /** @param {any} testModule */
  onTestModuleEnd(testModule) {
    this.filesDone++;
    // A file that breaks while it is loaded, and a suite whose hook breaks, have no test that could fail for them.
    const errors = [...testModule.errors(), ...suiteErrors(testModule.children)];
    if (errors.length > 0) this.fail(testModule, 'outside its tests', errors);
    if (this.live || Date.now() - this.lastLine > EVERY_MS) this.line();
  }

  /** @param {unknown[]} modules @param {readonly any[]} unhandled */
  onTestRunEnd(modules, unhandled) {
    if (unhandled.length > 0) this.fail(undefined, 'an error outside every test', unhandled);
    this.line();
    if (this.live) process.stdout.write('\n');
    const file = process.env['COUNTERSIGN_TEST_RESULTS'];
    if (file) writeFileSync(file, JSON.stringify(this.results));
  }

  /** @param {any} module @param {string} name @param {string | undefined} note */
  skip(module, name, note) {
    this.results.skipped.push({ name, file: this.path(module), note: note ?? '' });
  }

  /** @param {any} module @param {string} name @param {readonly any[]} errors */
  fail(module, name, errors) {
    const title = [this.path(module), name].filter(Boolean).join(' > ');
    this.results.failed++;
    this.results.failures.push(title);
    const text = errors.map(told);
    if (this.live) process.stdout.write('\r\u001b[K');
    console.log(`  FAILED ${title}\n${text.join('\n').replace(/^/gm, '      ')}`);
  }

  /** @param {any} module */
  path(module) {
    return module ? relative(this.root ?? process.cwd(), module.moduleId) : '';
  }

  line() {
    const { passed, failed, skipped } = this.results;
    const text = `  ${passed} passed, ${failed} failed, ${skipped.length} skipped (${this.filesDone} of ${this.files} files)`;
    process.stdout.write(this.live ? `\r\u001b[K${text}` : `${text}\n`);
    this.lastLine = Date.now();
  }
}

/** Message, difference, and the lines of the stack that are ours. @param {any} error */
function told(error) {
  const frames = String(error.stack ?? '')
    .split('\n')
    .filter(
      (line) =>
        /^\s+at /.test(line) && !line.includes('node_modules') && !/\bat (?:new Promise|node:)/.test(line),
    );
  return [`${error.name}: ${error.message}`, error.diff ?? '', ...frames].filter(Boolean).join('\n');
}

/** @param {Iterable<any>} children @returns {any[]} */
function suiteErrors(children) {
  return [...children].flatMap((child) =>
    child.type === 'suite' ? [...child.errors(), ...suiteErrors(child.children)] : [],
  );
}
