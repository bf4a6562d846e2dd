// The part of ARCHITECTURE.md that is made from floors.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../source/tree.mjs';

/** @typedef {import('./table.mjs').Table} Table */
/** @typedef {import('./table.mjs').Room} Room */

const PAGE = 'ARCHITECTURE.md';
const BEGIN = '<!-- floors:begin (made by: node tools/check-floors.mjs --write) -->';
const END = '<!-- floors:end -->';

/** With a root, rooms in which nothing stands yet are marked. @param {Table} table @param {string} [root] @returns {string} */
export function render(table, root) {
  const housed = table.rooms.filter((room) => room.floor !== undefined);
  const floors = [...new Set(housed.map((room) => room.floor ?? 0))].sort((a, b) => b - a);
  return [
    '| floor | room of `packages/server/src` | may import | packages |',
    '|---|---|---|---|',
    ...floors.flatMap((floor) =>
      housed.filter((room) => room.floor === floor).map((room) => roomRow(table, room, root)),
    ),
    '',
    ...Object.entries(table.groups).map(([name, rooms]) => `*${name}* = ${rooms.join(', ')}.`),
    '',
    '| package | is | may import |',
    '|---|---|---|',
    ...Object.entries(table.packages).map(
      ([name, { is, may }]) => `| ${name} | ${is} | ${may.join(', ') || 'nothing'}${lazily(table, name)} |`,
    ),
    '',
    '| beside the packages | may import |',
    '|---|---|',
    ...table.rooms
      .filter((room) => !(room.paths[0] ?? '').startsWith('packages/'))
      .map((room) => `| ${room.room} | ${room.may.join(', ') || 'nothing of ours'} |`),
    '',
    '| dependency from outside | named only in |',
    '|---|---|',
    ...Object.entries(table.outside).map(
      ([name, paths]) => `| ${name} | ${paths.map((path) => `\`${path}\``).join(', ')} |`,
    ),
  ].join('\n');
}

/** @param {Table} table @param {Room} room @param {string | undefined} root */
function roomRow(table, room, root) {
  const packages = room.may.filter((name) => table.packages[name]);
  const rooms = room.may
    .filter((name) => !table.packages[name])
    .map((name) =>
      table.groups[name] ? `*${name}*` : name.endsWith('.ts') ? `\`${name.replace(/^src\//, '')}\`` : name,
    );
  const marks = [
    room.adapter ? '(adapter)' : '',
    room.apart ? '(not each other)' : '',
    root !== undefined && isEmpty(root, room) ? '(later)' : '',
  ]
    .filter(Boolean)
    .join(' ');
  return `| ${room.floor} | ${room.room} ${marks} | ${rooms.join(', ') || '–'} | ${packages.join(', ') || '–'} |`.replace(
    /  +/g,
    ' ',
  );
}

/** A wall may be drawn before anybody moves in: only folders can be empty. @param {string} root @param {Room} room */
function isEmpty(root, room) {
  return room.paths.every(
    (path) => path.endsWith('/**') && filesUnder(root, path.slice(0, -'/**'.length)).length === 0,
  );
}

/** @param {Table} table @param {string} name */
function lazily(table, name) {
  const rooms = table.rooms.filter(
    (room) => room.mayLazily && room.paths.every((path) => path.startsWith(`packages/${name}/`)),
  );
  return rooms
    .map((room) => {
      const within = room.paths.map((path) => path.split('/').slice(3).join('/'));
      // A room that is the whole package says nothing by naming it.
      const from = within.includes('**') ? '' : `, from ${within.map((path) => `\`${path}\``).join(' and ')}`;
      return `; ${room.mayLazily?.join(', ')} only lazily${from}`;
    })
    .join('');
}

/** Whether the page shows today's table. @param {string} root @param {Table} table @returns {string[]} */
export function checkPage(root, table) {
  const text = read(root);
  if (text === undefined) return [`${PAGE}: missing`];
  const parts = split(text);
  if (!parts) return [`${PAGE}: has no place for the table (${BEGIN} … ${END})`];
  return parts.inside === render(table, root)
    ? []
    : [`${PAGE}: its table is not floors.json's; run node tools/check-floors.mjs --write`];
}

/** @param {string} root @param {Table} table */
export function writePage(root, table) {
  const parts = split(read(root) ?? '');
  if (!parts) throw new Error(`${PAGE} has no place for the table: put ${BEGIN} and ${END} into it`);
  writeFileSync(join(root, PAGE), `${parts.before}${BEGIN}\n${render(table, root)}\n${END}${parts.after}`);
}

/** @param {string} root */
function read(root) {
  try {
    return readFileSync(join(root, PAGE), 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function split(text) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) return undefined;
  return {
    before: text.slice(0, begin),
    inside: text.slice(begin + BEGIN.length, end).trim(),
    after: text.slice(end + END.length),
  };
}
