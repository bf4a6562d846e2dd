#!/usr/bin/env node
// Documentation that cannot lie by omission: every part has its page and its row in docs/parts/README.md, the reference pages (every setting, error code,
// refusal reason, problem and admin operation) are those that the built code makes, and every link leads somewhere.
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { referencePages } from './docs/reference.mjs';
import { runAsProgram } from './source/report.mjs';
import { filesUnder, isCode, isTest } from './source/tree.mjs';

/** Folders in which a file is a part that somebody chooses, and the files in them that are not: interfaces and stories. */
const PARTS = [
  {
    folder: 'packages/server/src/oauth/grants',
    not: ['grant.ts', 'access-asked.ts', 'foreign-subject-token.ts', 'sign-in.ts'],
  },
  {
    folder: 'packages/server/src/oauth/client-auth',
    not: [
      'method.ts',
      'authenticate.ts',
      'bundle-endpoints.ts',
      'client-certificate.ts',
      'decoy-key.ts',
      'published-keys.ts',
      'registered-key.ts',
      'path-reasons.ts',
      'spiffe-credential.ts',
      'trust-bundles.ts',
    ],
  },
  {
    folder: 'packages/server/src/oauth/sender-constraint',
    not: ['constraint.ts', 'confirm.ts', 'dpop-nonce.ts'],
  },
  {
    folder: 'packages/server/src/oauth/federation',
    not: ['foreign-assertion.ts', 'match-rules.ts', 'vouched-for.ts', 'id-token.ts', 'issuer-signature.ts'],
  },
  { folder: 'packages/server/src/registry/issuer-kinds', not: ['issuer-kind.ts'] },
  { folder: 'packages/server/src/signers', not: [] },
  {
    folder: 'packages/server/src/policy',
    not: ['rule.ts', 'evaluate.ts', 'limit-table.ts', 'conditions.ts', 'network.ts', 'time-window.ts'],
  },
  {
    folder: 'packages/server/src/policy/declared',
    not: ['policy-rule.ts', 'rules.ts', 'judge.ts', 'standing-verdict.ts', 'span.ts'],
  },
  {
    folder: 'packages/server/src/governance/findings',
    not: ['detector.ts', 'reconcile.ts', 'commands.ts', 'usable.ts', 'key-sharers.ts', 'policy-fix.ts'],
  },
  { folder: 'packages/client/src/grants', not: ['grant.ts'] },
  { folder: 'packages/client/src/client-auth', not: ['client-auth.ts'] },
  { folder: 'packages/client/src/subject-token', not: ['source.ts'] },
];

/** @param {string} root @returns {Promise<import('./source/report.mjs').Report>} */
export async function checkDocs(root) {
  const parts = checkParts(root);
  const reference = await checkReference(root);
  return {
    summary: `${parts.count} parts have their page, ${reference.count} reference pages are what the code says`,
    problems: [...parts.problems, ...reference.problems, ...brokenLinks(root)],
    warnings: [],
    skipped: reference.skipped,
  };
}

/** @param {string} root */
export function checkParts(root) {
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
  const table = join(root, 'docs/parts/README.md');
  const rows = existsSync(table) ? readFileSync(table, 'utf8') : '';
  return {
    count: names.size,
    problems: [
      ...[...names]
        .filter((name) => !pages.includes(name))
        .map((name) => `docs/parts/${name}.md: missing; the part has no page`),
      ...pages
        .filter((page) => !names.has(page) && page !== 'README')
        .map((page) => `docs/parts/${page}.md: no part has this name`),
      ...[...names]
        .filter((name) => pages.includes(name) && !rows.includes(`(${name}.md)`))
        .map((name) => `docs/parts/README.md: has no row for ${name}`),
    ],
  };
}

/** @param {string} root */
async function checkReference(root) {
  const { pages, skipped } = await referencePages(root);
  const problems = pages
    .filter(
      ({ page, text }) => !existsSync(join(root, page)) || readFileSync(join(root, page), 'utf8') !== text,
    )
    .map(
      ({ page }) => `${page}: is not what the code says; run npm run build && node tools/write-reference.mjs`,
    );
  return { problems, skipped, count: pages.length };
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
