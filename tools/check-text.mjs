#!/usr/bin/env node
// What may stand in no file: paths of somebody's machine, names of package registries, a check silenced without its
// reason, a test that is focused, work left in a comment.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runAsProgram } from './source/report.mjs';
import { committedFiles, isCode } from './source/tree.mjs';

/** Written so that no pattern matches its own line. @type {[RegExp, string, ((path: string) => boolean)?][]} */
const REFUSED = [
  [/(?<![\w.~/-])\/(?:work|root|farm|tmp|Users)\/[\w.]/, 'a path of one machine'],
  [/(?<![\w.~/-])\/home\/(?!node\b)[a-z]/, 'a path of one machine'],
  [/\b[A-Z]:\\{1,2}Users\b/, 'a path of one machine'],
  [
    /\b(?:registry\.npmj[s]|pypi\.or[g]|crates\.i[o]\/|proxy\.golang\.or[g]|repo1?\.maven\b)/,
    'the address of a package registry',
  ],
  [/\b(?:it|test|describe)\.only\(/, 'a focused test', isCode],
  [
    /(?:(?:ox|es)lint[-]disable|biome[-]ignore|@ts[-]expect-error)(?![^\n]*(?:--|:) ?\w{3})/,
    'a check silenced without its reason',
    isCode,
  ],
  [/@ts[-](?:ignore|nocheck)\b/, 'every error is silenced, not the one expected', isCode],
  [/\b(?:TOD[O]|FIXM[E]|XX[X])\b(?! ?\(?#\d)/, 'work left in a comment without an issue number', isCode],
];
const UNREAD = /(^|\/)(package-lock\.json|go\.sum)$|^vectors\/|^LICENSE$|\.(png|ico|woff2?|der|p12|gz)$/;

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkText(root) {
  const files = committedFiles(root).filter(
    (path) => !UNREAD.test(path) && statSync(join(root, path)).size < 2_000_000,
  );
  const problems = files.flatMap((path) => linesRefused(path, readFileSync(join(root, path), 'utf8')));
  return { summary: `${files.length} files`, problems, warnings: [], skipped: [] };
}

/** @param {string} path @param {string} text @returns {string[]} */
export function linesRefused(path, text) {
  return text
    .split('\n')
    .flatMap((line, i) =>
      REFUSED.filter(([pattern, , where]) => pattern.test(line) && (where?.(path) ?? true)).map(
        ([, why]) => `${path}:${i + 1}: ${why}`,
      ),
    );
}

await runAsProgram(import.meta.url, checkText);
