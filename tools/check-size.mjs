#!/usr/bin/env node
// A file is one subject: a warning from 250 lines on, a failure from 400. Tests, benches and the conformance suite are
// lists by nature and only warn.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeFiles } from './floors/arrows.mjs';
import { runAsProgram } from './source/report.mjs';
import { isTest } from './source/tree.mjs';

const WARN = 250;
const FAIL = 400;

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkSize(root) {
  const files = codeFiles(root);
  /** @type {string[]} */
  const problems = [];
  /** @type {string[]} */
  const warnings = [];
  for (const path of files) {
    if (isTest(path)) continue;
    const lines = readFileSync(join(root, path), 'utf8').split('\n').length - 1;
    if (lines > FAIL && !/^(bench|conformance)\//.test(path))
      problems.push(`${path}: ${lines} lines, more than ${FAIL}`);
    else if (lines > WARN) warnings.push(`${path}: ${lines} lines, more than ${WARN}`);
  }
  return { summary: `${files.length} files of at most ${FAIL} lines`, problems, warnings, skipped: [] };
}

await runAsProgram(import.meta.url, checkSize);
