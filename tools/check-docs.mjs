#!/usr/bin/env node
// Documentation that cannot lie by omission: every part has its page, every setting and every refusal stands in the
// reference. What there is, is read from the built modules, not from the text of the sources.
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runAsProgram } from './source/report.mjs';
import { filesUnder, isCode, isTest } from './source/tree.mjs';

/** Folders in which a file is a part that somebody chooses, and the files in them that are not: interfaces and stories. */
const PARTS = [
  { folder: 'packages/server/src/oauth/grants', not: ['grant.ts'] },
  { folder: 'packages/server/src/oauth/client-auth', not: ['method.ts', 'authenticate.ts'] },
  { folder: 'packages/server/src/oauth/sender-constraint', not: ['constraint.ts'] },
  { folder: 'packages/server/src/oauth/federation', not: ['subject-token.ts', 'trusted-issuers.ts'] },
  { folder: 'packages/server/src/signers', not: [] },
  { folder: 'packages/server/src/policy', not: ['rule.ts', 'evaluate.ts'] },
  { folder: 'packages/client/src/grants', not: ['grant.ts'] },
  { folder: 'packages/client/src/client-auth', not: ['method.ts'] },
  { folder: 'packages/client/src/subject-token', not: ['source.ts'] },
];

/** What the reference pages must name. `values` picks the names out of the built module. */
const REFERENCE = [
  {
    page: 'docs/reference/errors.md',
    module: 'packages/protocol/dist/error-code.js',
    what: 'OAuth error code',
    values: (/** @type {any} */ m) => namesIn(m.OAUTH_ERROR_CODES),
  },
  {
    page: 'docs/reference/errors.md',
    module: 'packages/server/dist/oauth/refusal.js',
    what: 'refusal reason',
    values: (/** @type {any} */ m) => namesIn(m.REFUSAL_REASONS),
  },
  {
    page: 'docs/reference/errors.md',
    module: 'packages/admin-api/dist/problem.js',
    what: 'problem type',
    values: (/** @type {any} */ m) => namesIn(m.PROBLEM_TYPES),
  },
  {
    page: 'docs/reference/config.md',
    module: 'packages/server/dist/config/schema.js',
    what: 'setting',
    values: (/** @type {any} */ m) => namesIn(m.SETTINGS),
  },
];

/** The names of a list, or of a table's keys. @param {unknown} value @returns {string[] | undefined} */
function namesIn(value) {
  if (Array.isArray(value)) return value.map((entry) => (typeof entry === 'string' ? entry : entry.name));
  return value && typeof value === 'object' ? Object.keys(value) : undefined;
}

/** @param {string} root @returns {Promise<import('./source/report.mjs').Report>} */
export async function checkDocs(root) {
  const parts = checkParts(root);
  const reference = await checkReference(root);
  return {
    summary: `${parts.count} parts have their page, ${reference.count} names stand in the reference`,
    problems: [...parts.problems, ...reference.problems, ...brokenLinks(root)],
    warnings: [],
    skipped: reference.skipped,
  };
}

/** @param {string} root */
function checkParts(root) {
  const names = new Set(
    PARTS.flatMap(({ folder, not }) =>
      filesUnder(root, folder)
        .filter((path) => isCode(path) && !isTest(path) && posix.dirname(path) === folder)
        .map((path) => posix.basename(path))
        .filter((file) => !not.includes(file))
        .map((file) => file.replace(/\.ts$/, '')),
    ),
  );
  const pages = filesUnder(root, 'docs/parts').map((path) => posix.basename(path, '.md'));
  return {
    count: names.size,
    problems: [
      ...[...names]
        .filter((name) => !pages.includes(name))
        .map((name) => `docs/parts/${name}.md: missing; the part has no page`),
      ...pages
        .filter((page) => !names.has(page) && page !== 'README')
        .map((page) => `docs/parts/${page}.md: no part has this name`),
    ],
  };
}

/** @param {string} root */
async function checkReference(root) {
  /** @type {string[]} */
  const problems = [];
  /** @type {string[]} */
  const skipped = [];
  let count = 0;
  for (const { page, module, what, values } of REFERENCE) {
    if (!existsSync(join(root, module))) {
      skipped.push(`every ${what} in ${page}: ${module} is not built`);
      continue;
    }
    const names = values(await import(pathToFileURL(join(root, module)).href));
    if (names === undefined) {
      problems.push(`${module}: does not export the list of its ${what}s`);
      continue;
    }
    const text = existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : '';
    const missing = names.filter((name) => !text.includes(`\`${name}\``));
    problems.push(...missing.map((name) => `${page}: ${what} ${name} is not documented`));
    count += names.length;
  }
  return { problems, skipped, count };
}

/** Relative links of the pages that lead nowhere. @param {string} root */
function brokenLinks(root) {
  const pages = [
    ...filesUnder(root, 'docs'),
    ...filesUnder(root).filter((path) => !path.includes('/')),
  ].filter((path) => path.endsWith('.md'));
  return pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '');
    return [...text.matchAll(/\]\((?!\w+:|#)([^)\s#]+)/g)]
      .map(([, target]) => posix.join(posix.dirname(page), target ?? ''))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${page}: links to ${target}, which does not exist`);
  });
}

await runAsProgram(import.meta.url, checkDocs);
