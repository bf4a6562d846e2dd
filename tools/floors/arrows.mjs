// Every arrow of the tree (a file that imports another) held against the table.
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { importsOf } from '../source/imports.mjs';
import { filesUnder, glob, isCode, isTest } from '../source/tree.mjs';
import { allowed, roomFinder } from './table.mjs';

/** @typedef {import('./table.mjs').Table} Table */
/** @typedef {import('./table.mjs').Room} Room */
/** @typedef {{from: string, to: string | undefined, toPackage?: string, specifier: string, kind: string, line: number}} Arrow */

/** Where code lives. A file below these that is in no room is an error. */
const FOLDERS = ['packages', 'tools', 'conformance', 'bench', 'examples'];
const SCOPE = '@countersign/';

/** @param {string} root */
export function codeFiles(root) {
  return FOLDERS.flatMap((folder) => filesUnder(root, folder)).filter(isCode);
}

/**
 * @param {string} root @param {Table} table
 * @returns {{problems: string[], arrows: Arrow[], files: number}}
 */
export function checkArrows(root, table) {
  const roomOf = roomFinder(table);
  /** @type {string[]} */
  const problems = [];
  /** @type {Arrow[]} */
  const arrows = [];
  const files = codeFiles(root);
  for (const from of files) {
    const room = roomOf(from);
    if (!room) {
      problems.push(`${from}: in no room; declare its folder in floors.json`);
      continue;
    }
    for (const found of importsOf(readFileSync(join(root, from), 'utf8'))) {
      const at = `${from}:${found.line}`;
      if (found.specifier === undefined) {
        if (inPackage(from)) problems.push(`${at}: imports a computed name, which no check can follow`);
        continue;
      }
      const arrow = { from, ...target(root, from, found.specifier), ...found, specifier: found.specifier };
      if (arrow.kind === 'url' && packageOf(from) !== packageOf(arrow.to ?? '')) continue; // a program to start, not code to load
      arrows.push(arrow);
      const problem = judge(table, roomOf, room, arrow);
      if (problem) problems.push(`${at}: ${problem}`);
    }
  }
  return { problems, arrows, files: files.length };
}

/** @param {string} root @param {string} from @param {string} specifier @returns {{to: string | undefined, toPackage?: string}} */
function target(root, from, specifier) {
  if (specifier.startsWith(SCOPE)) {
    return { to: undefined, toPackage: specifier.slice(SCOPE.length).split('/')[0] ?? '' };
  }
  if (!specifier.startsWith('.')) return { to: undefined };
  const path = posix.join(posix.dirname(from), specifier).replace(/^(packages\/[^/]+)\/dist\//, '$1/src/');
  const candidates = [path, path.replace(/\.([cm]?)js$/, '.$1ts'), path.replace(/\.jsx$/, '.tsx')];
  return { to: candidates.find((candidate) => existsSync(join(root, candidate))) ?? path };
}

/** @param {string} path */
function inPackage(path) {
  return path.startsWith('packages/') && !isTest(path);
}

/** @param {string} path */
function packageOf(path) {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

/**
 * @param {Table} table @param {(path: string) => Room | undefined} roomOf @param {Room} room @param {Arrow} arrow
 * @returns {string | undefined} what is wrong with this arrow
 */
function judge(table, roomOf, room, arrow) {
  if (arrow.toPackage !== undefined) return judgePackage(table, room, arrow);
  if (arrow.to === undefined) return judgeOutside(table, arrow);
  if (!isCode(arrow.to)) return undefined;
  const other = roomOf(arrow.to);
  if (!other) return `imports ${arrow.to}, which is in no room`;
  if (other.wing && room.wing && other.wing !== room.wing) return says(room, other, 'the wings do not touch');
  if (packageOf(arrow.from) !== packageOf(arrow.to) && packageOf(arrow.to)) {
    return `reaches into package ${packageOf(arrow.to)} by a path; import ${SCOPE}${packageOf(arrow.to)}`;
  }
  if (isTest(arrow.from)) return undefined;
  if (isTest(arrow.to)) return `imports the test ${arrow.to}`;
  if (other === room) return strangersInside(room, arrow);
  const may = allowed(table, room);
  if (
    may.has(other.room) ||
    [...may].some((name) => name.endsWith('.ts') && arrow.to?.endsWith(`/${name}`))
  ) {
    return undefined;
  }
  if (isLazy(arrow) && room.mayLazily?.includes(other.room)) return undefined;
  return says(room, other, reason(room, other));
}

/** @param {Arrow} arrow */
function isLazy(arrow) {
  return arrow.kind === 'lazy' || arrow.kind === 'type';
}

/** @param {Room} room @param {Room} other @param {string} why */
function says(room, other, why) {
  return `${room.room} may not import ${other.room}: ${why}`;
}

/** @param {Room} room @param {Room} other */
function reason(room, other) {
  if (other.adapter && !room.composes) return 'adapters are named only in compose.ts and main.ts';
  if ((other.floor ?? 0) > (room.floor ?? 0)) return 'arrows go down';
  return 'not in its row of floors.json';
}

/** In a room whose folders stand apart, one may not import another. @param {Room} room @param {Arrow} arrow */
function strangersInside(room, arrow) {
  if (!room.apart) return undefined;
  const [mine, theirs] = [posix.dirname(arrow.from), posix.dirname(arrow.to ?? '')];
  if (mine === theirs || mine.startsWith(`${theirs}/`) || theirs.startsWith(`${mine}/`)) return undefined;
  return `${mine} may not import ${theirs}: the ${room.room} do not know each other`;
}

/** @param {Table} table @param {Room} room @param {Arrow} arrow */
function judgePackage(table, room, arrow) {
  const own = packageOf(arrow.from);
  const name = arrow.toPackage ?? '';
  if (!table.packages[name]) return `imports ${arrow.specifier}: floors.json knows no package of that name`;
  if (isTest(arrow.from)) return undefined;
  if (own === name) return `imports its own package by name (${arrow.specifier}); use a relative path`;
  if (own && !table.packages[own]?.may.includes(name)) {
    return `package ${own} may not import package ${name}: not in its row of floors.json`;
  }
  if (allowed(table, room).has(name)) return undefined;
  if (room.mayLazily?.includes(name)) {
    return isLazy(arrow)
      ? undefined
      : `${room.room} may load ${name} only lazily: use import() or import type`;
  }
  return `${room.room} may not import package ${name}: not in its row of floors.json`;
}

/** @param {Table} table @param {Arrow} arrow */
function judgeOutside(table, arrow) {
  if (!inPackage(arrow.from) || /^(node:|\w+:)/.test(arrow.specifier)) return undefined;
  const name = arrow.specifier
    .split('/')
    .slice(0, arrow.specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const where = table.outside[name];
  if (!where) return `imports ${name}: a dependency from outside is declared under "outside" in floors.json`;
  if (where.some((path) => glob(path).test(arrow.from))) return undefined;
  return `imports ${name}, which only ${where.join(', ')} may name`;
}

/** Workspace packages that a package.json names and the table does not allow. @param {string} root @param {Table} table */
export function checkManifests(root, table) {
  /** @type {string[]} */
  const problems = [];
  for (const [name, { may }] of Object.entries(table.packages)) {
    const path = `packages/${name}/package.json`;
    if (!existsSync(join(root, path))) {
      problems.push(`${path}: missing, though floors.json names the package`);
      continue;
    }
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8'));
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      const other = dependency.startsWith(SCOPE) ? dependency.slice(SCOPE.length) : undefined;
      if (other !== undefined && !may.includes(other)) {
        problems.push(`${path}: depends on ${dependency}, which its row of floors.json does not allow`);
      }
    }
  }
  return problems;
}
