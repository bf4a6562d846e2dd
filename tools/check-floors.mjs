#!/usr/bin/env node
// Holds the imports of the whole tree against floors.json: arrows go down, the wings do not touch, adapters are named
// only where things are composed, nothing goes in a circle. `--write` renews the table in ARCHITECTURE.md.
import { checkArrows, checkManifests } from './floors/arrows.mjs';
import { cyclesAmong } from './floors/cycles.mjs';
import { checkPage, writePage } from './floors/page.mjs';
import { contradictions, readTable } from './floors/table.mjs';
import { isTest } from './source/tree.mjs';
import { isProgram, ROOT, runAsProgram } from './source/report.mjs';

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkFloors(root) {
  const table = readTable(root);
  const { problems, arrows, files } = checkArrows(root, table);
  const loops = cyclesAmong(arrows.filter(({ from }) => !isTest(from)));
  return {
    summary: `${files} files in ${table.rooms.length} rooms, ${arrows.length} imports`,
    problems: [
      ...contradictions(table),
      ...problems,
      ...loops.map((files) => `${files[0]}: imports go in a circle: ${[...files, files[0]].join(' → ')}`),
      ...checkManifests(root, table),
      ...checkPage(root, table),
    ],
    warnings: [],
    skipped: [],
  };
}

if (isProgram(import.meta.url) && process.argv.includes('--write')) writePage(ROOT, readTable(ROOT));
await runAsProgram(import.meta.url, checkFloors);
