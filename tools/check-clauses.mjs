#!/usr/bin/env node
// A file that implements a standard opens by naming it, so that a reader can hold the code against the text. It covers
// the protocol package and the token wing. A file of which no standard speaks says so: "No RFC: …".
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAsProgram } from './source/report.mjs';
import { filesUnder, isCode, isTest } from './source/tree.mjs';

const FOLDERS = ['packages/protocol/src', 'packages/server/src/oauth'];
const STANDARD = /\b(RFC ?\d{3,5}|draft-[a-z0-9-]+|IANA|FIPS|No RFC:)/;

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkClauses(root) {
  const files = FOLDERS.flatMap((folder) => filesUnder(root, folder)).filter(
    (path) => isCode(path) && !isTest(path) && !/\/src\/index\.ts$|\/oauth\/compose\.ts$/.test(path),
  );
  const problems = files
    .filter((path) => !STANDARD.test(openingComment(readFileSync(join(root, path), 'utf8'))))
    .map((path) => `${path}: opens without the RFC it implements (or "No RFC: …")`);
  return {
    summary: `${files.length} files of protocol/ and oauth/ name their clause`,
    problems,
    warnings: [],
    skipped: [],
  };
}

/** The comments before the first line of code. @param {string} text */
export function openingComment(text) {
  return /^(?:\s*(?:\/\/[^\n]*\n|\/\*[\s\S]*?\*\/))*/.exec(text)?.[0] ?? '';
}

await runAsProgram(import.meta.url, checkClauses);
