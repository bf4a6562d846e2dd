#!/usr/bin/env node
// The quickstart builds with what running needs and nothing else. So the build of a package may not include what is for
// tests, and the types of every dependency it names must be there without the development dependencies.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable } from './floors/table.mjs';
import { runAsProgram } from './source/report.mjs';
import { filesUnder, glob, isCode, isTest } from './source/tree.mjs';

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkShipped(root) {
  const table = readTable(root);
  const packages = Object.keys(table.packages);
  return {
    summary: `${packages.length} packages build without what only tests need`,
    problems: [
      ...packages.flatMap((name) => testsInBuild(root, name)),
      ...typesOnlyForDevelopment(root, table),
    ],
    warnings: [],
    skipped: [],
  };
}

/** @param {string} root @param {string} name */
function testsInBuild(root, name) {
  const folder = `packages/${name}`;
  const config = join(root, folder, 'tsconfig.json');
  if (!existsSync(config)) return [`${folder}/tsconfig.json: missing`];
  const { exclude = [] } = JSON.parse(readFileSync(config, 'utf8').replace(/^\s*\/\/.*$/gm, ''));
  const excluded = exclude.flatMap((/** @type {string} */ path) => [
    glob(`${folder}/${path}`),
    glob(`${folder}/${path}/**`),
  ]);
  const built = filesUnder(root, `${folder}/src`).filter(
    (path) =>
      isCode(path) && isTest(path) && !excluded.some((/** @type {RegExp} */ pattern) => pattern.test(path)),
  );
  return built.map((path) => `${folder}/tsconfig.json: builds ${path}, which is for tests; exclude it`);
}

/** @param {string} root @param {import('./floors/table.mjs').Table} table */
function typesOnlyForDevelopment(root, table) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.keys(table.outside)
    .map((name) => `@types/${name.replace(/^@/, '').replace('/', '__')}`)
    .filter((types) => lock.packages[`node_modules/${types}`]?.dev)
    .map((types) => `package.json: ${types} is needed to build; it belongs under dependencies`);
}

await runAsProgram(import.meta.url, checkShipped);
