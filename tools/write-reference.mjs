#!/usr/bin/env node
// Writes docs/reference/ from the built packages: run it after `npm run build` when a table changed. `npm run check` fails
// while a page differs from what this writes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { referencePages } from './docs/reference.mjs';
import { ROOT } from './source/report.mjs';

const { pages, skipped } = await referencePages(ROOT);
for (const { page, text } of pages) {
  mkdirSync(dirname(join(ROOT, page)), { recursive: true });
  writeFileSync(join(ROOT, page), text);
  console.log(page);
}
for (const what of skipped) console.log(`skipped: ${what}`);
