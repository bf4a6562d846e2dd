// Reads floors.json and refuses a table that contradicts itself: the three sentences (arrows go down, the wings do not
// touch, adapters are named only where things are composed) are checked here once, on the table, so that a change of
// one line in it cannot quietly give them up.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { glob } from '../source/tree.mjs';

/**
 * @typedef {object} Room
 * @property {string} room
 * @property {number} [floor]      rooms of the server have one; an arrow goes to a lower one
 * @property {string[]} paths
 * @property {string[]} may        rooms, groups, packages, or a file below its package's folder
 * @property {string[]} [mayLazily] only by `import()` or `import type`
 * @property {'oauth' | 'governance'} [wing]
 * @property {boolean} [adapter]   stands behind a port
 * @property {boolean} [composes]  may name adapters
 * @property {boolean} [apart]     its folders do not know each other
 */

/**
 * @typedef {object} Table
 * @property {Record<string, {may: string[], is: string}>} packages
 * @property {Record<string, string[]>} groups
 * @property {Room[]} rooms
 * @property {Record<string, string[]>} outside
 */

/** @param {string} root @returns {Table} */
export function readTable(root) {
  return JSON.parse(readFileSync(join(root, 'floors.json'), 'utf8'));
}

/** The entries of `may` with groups replaced by their rooms. @param {Table} table @param {Room} room */
export function allowed(table, room) {
  return new Set(room.may.flatMap((name) => table.groups[name] ?? [name]));
}

/** @param {Table} table @returns {string[]} what is wrong with the table itself */
export function contradictions(table) {
  const rooms = new Map(table.rooms.map((room) => [room.room, room]));
  const roomOf = roomFinder(table);
  const problems = rooms.size === table.rooms.length ? [] : ['floors.json: a room is named twice'];
  for (const room of table.rooms) {
    for (const name of [...allowed(table, room), ...(room.mayLazily ?? [])]) {
      const said = `floors.json: ${room.room} → ${name}`;
      const target = name.endsWith('.ts') ? roomOf(`${packageFolder(room)}/${name}`) : rooms.get(name);
      if (!target && !table.packages[name]) problems.push(`${said}: there is no such room or package`);
      if (!target || target.floor === undefined || room.floor === undefined) continue;
      if (target.floor >= room.floor) problems.push(`${said}: an arrow goes to a lower floor`);
      if (target.wing && room.wing && target.wing !== room.wing)
        problems.push(`${said}: the wings do not touch`);
      if (target.adapter && !room.composes)
        problems.push(`${said}: adapters are named only in compose.ts and main.ts`);
    }
  }
  return [...problems, ...packageCycles(table)];
}

/** @param {Room} room */
function packageFolder(room) {
  return (room.paths[0] ?? '').split('/').slice(0, 2).join('/');
}

/** @param {Table} table */
function packageCycles(table) {
  /** @type {string[]} */
  const problems = [];
  /** @param {string} name @param {string[]} path */
  const visit = (name, path) => {
    if (path.includes(name))
      problems.push(`floors.json: packages in a circle: ${[...path, name].join(' → ')}`);
    else for (const next of table.packages[name]?.may ?? []) visit(next, [...path, name]);
  };
  for (const name of Object.keys(table.packages)) visit(name, []);
  return problems;
}

/**
 * Finds the room of a file: the one whose matching path says most literally where it is.
 * @param {Table} table @returns {(path: string) => Room | undefined}
 */
export function roomFinder(table) {
  const entries = table.rooms
    .flatMap((room) =>
      room.paths.map((path) => ({ room, pattern: glob(path), literal: path.split('*')[0] ?? '' })),
    )
    .sort((a, b) => b.literal.length - a.literal.length);
  return (path) => entries.find(({ pattern }) => pattern.test(path))?.room;
}
