#!/usr/bin/env node
// Names say what a thing is. Refused: names that say nothing (in files, folders and exports), files that are not in
// kebab case, and barrels inside a package, which hide where a thing lives and tie files into circles.
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { codeFiles } from './floors/arrows.mjs';
import { runAsProgram } from './source/report.mjs';
import { tokensOf } from './source/tokens.mjs';
import { isTest } from './source/tree.mjs';

const EMPTY_WORDS = new Set('util utils helper helpers common manager service impl misc shared'.split(' '));
/** As the last word of an exported name these say nothing either; `service` alone is a kind of identity, so it may stand alone. */
const EMPTY_ENDINGS = new Set('util utils helper helpers manager service impl misc'.split(' '));
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;
const DECLARES = new Set([
  'const',
  'let',
  'function',
  'class',
  'interface',
  'type',
  'abstract',
  'async',
  'declare',
  '*',
]);

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkNames(root) {
  const files = codeFiles(root);
  const problems = files.flatMap((path) => [
    ...pathProblems(path),
    ...(path.startsWith('packages/') && !isTest(path)
      ? textProblems(path, readFileSync(join(root, path), 'utf8'))
      : []),
  ]);
  return { summary: `${files.length} files`, problems, warnings: [], skipped: [] };
}

/** A Kubernetes ServiceAccount is called so, and a finding shared_key. @param {string} path */
export function pathProblems(path) {
  /** @type {string[]} */
  const problems = [];
  const file = posix.basename(path);
  if (!KEBAB.test(file)) problems.push(`${path}: file names are kebab-case`);
  for (const part of path.split('/')) {
    const name = (part.split('.')[0] ?? '')
      .replace('service-account', 'ServiceAccount')
      .replace('shared-key', 'SharedKey');
    const word = name.split('-').find((each) => EMPTY_WORDS.has(each));
    if (word) problems.push(`${path}: "${word}" says nothing; name what it does`);
  }
  if (
    file.startsWith('index.') &&
    path.startsWith('packages/') &&
    !/^packages\/[^/]+\/src\/index\.ts$/.test(path)
  ) {
    problems.push(`${path}: index files are only a package's face (src/index.ts)`);
  }
  return problems;
}

/** @param {string} path @param {string} text */
export function textProblems(path, text) {
  const tokens = tokensOf(text);
  const face = posix.basename(path) === 'index.ts';
  /** @type {string[]} */
  const problems = [];
  let statements = 0;
  let passedOn = 0;
  for (let i = 0; i < tokens.length; i++) {
    const { kind, value, line } = tokens[i] ?? {};
    if (kind === 'name' && value === 'import' && tokens[i + 1]?.value !== '(' && tokens[i + 1]?.value !== '.')
      continue;
    if (kind !== 'name' || value !== 'export' || tokens[i - 1]?.value === '.') continue;
    statements++;
    const next = tokens[i + 1]?.value === 'type' && /^[*{]$/.test(tokens[i + 2]?.value ?? '') ? i + 2 : i + 1;
    if (/^[*{]$/.test(tokens[next]?.value ?? '')) {
      if (tokens[next]?.value === '*' && face)
        problems.push(`${path}:${line}: a package's face names what it shows; no export *`);
      if (passesOn(tokens, next)) passedOn++;
      continue;
    }
    const name = declaredName(tokens, i + 1);
    if (name && endsEmpty(name)) problems.push(`${path}:${line}: ${name}: the last word says nothing`);
  }
  const code = tokens.some(
    ({ kind, value }, i) => kind === 'name' && DECLARES.has(value) && tokens[i - 1]?.value !== 'export',
  );
  if (!face && statements > 0 && passedOn === statements && !code) {
    problems.push(`${path}: only passes on what others export; import from where it is made`);
  }
  return problems;
}

/** @param {import('./source/tokens.mjs').Token[]} tokens @param {number} at */
function passesOn(tokens, at) {
  for (let i = at; i < tokens.length && tokens[i]?.value !== ';'; i++) {
    if (tokens[i]?.value === 'from' && tokens[i + 1]?.kind === 'string') return true;
    if (tokens[i]?.value === '}' && tokens[i + 1]?.value !== 'from') return false;
  }
  return false;
}

/** @param {import('./source/tokens.mjs').Token[]} tokens @param {number} at */
function declaredName(tokens, at) {
  let i = at;
  while (DECLARES.has(tokens[i]?.value ?? '')) i++;
  return i > at && tokens[i]?.kind === 'name' ? tokens[i]?.value : undefined;
}

/** @param {string} name */
function endsEmpty(name) {
  const words = name.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase());
  return words.length > 1 && EMPTY_ENDINGS.has(words.at(-1) ?? '');
}

await runAsProgram(import.meta.url, checkNames);
