import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, RouteMap } from '@stricli/core';
import { expect, test } from 'vitest';
import type { CliContext } from './context.ts';
import { COMMANDS } from './program.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const isMap = (target: object): target is RouteMap<CliContext> => 'getAllEntries' in target;
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Pages that people paste from. Decisions and the log of changes tell of commands as they once were. */
function pages(): readonly string[] {
  const inside = (folder: string): string[] =>
    readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);
  const documents = ['docs/guide', 'docs/operate', 'docs/parts']
    .flatMap(inside)
    .filter((path) => path.endsWith('.md'));
  const readmes = ['examples', 'packages'].flatMap(inside).map((folder) => `${folder}/README.md`);
  return ['README.md', ...documents, ...readmes.filter((path) => existsSync(join(ROOT, path)))];
}

/** The words of each line of a page's shell blocks that begins with the command. */
function documented(page: string): readonly (readonly string[])[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)]
    .flatMap(([, code = '']) => code.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .map((line) => /^(?:npx --no -- )?countersign (.*)/.exec(line.trim())?.[1])
    .filter((rest) => rest !== undefined)
    .map(wordsOf);
}

/** As a shell splits them, as far as one command goes. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) {
    if (/^(?:[|#&;]|\d?[<>])/.test(word)) break;
    words.push(word);
  }
  return words;
}

/** What of this command line the command does not know; undefined where it would take it. */
async function fault(words: readonly string[]): Promise<string | undefined> {
  const [first = '', ...rest] = words;
  const entry = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (entry === undefined) return `no command ${first}`;
  const target = await entry.load();
  if (!isMap(target)) return faultOf(target, rest);
  const verbs = target.getAllEntries();
  // `countersign cutoffs create|list` names several.
  const named = (rest[0] ?? '').split('|').map((verb) => verbs.find(({ name }) => name.original === verb));
  const missing = named.includes(undefined);
  if (missing) return `no command ${first} ${rest[0]}`;
  return faultOf(named[0]?.target as Command<CliContext>, rest.slice(1));
}

function faultOf({ parameters }: Command<CliContext>, words: readonly string[]): string | undefined {
  const flags = Object.entries(
    (parameters.flags ?? {}) as Record<string, { kind: string; optional?: boolean; default?: unknown }>,
  );
  const given = new Set<string>();
  let places = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '…' || word.startsWith('[')) return undefined; // Not meant to be pasted.
    const long = /^--([a-z][a-z-]*)/.exec(word)?.[1];
    const short = /^-([a-zA-Z])$/.exec(word)?.[1];
    if (long === undefined && short === undefined) {
      places++;
      continue;
    }
    if (long === 'help' || short === 'h') return undefined;
    const alias = short === undefined ? undefined : (parameters.aliases as Record<string, string>)?.[short];
    const found = flags.find(([name]) => name === alias || kebab(name) === long);
    if (found === undefined) return `no flag ${word}`;
    given.add(found[0]);
    if (found[1].kind !== 'boolean' && !word.includes('=')) at++;
  }
  const lacking = flags.find(
    ([name, { kind, optional, default: other }]) =>
      kind !== 'boolean' && !optional && other === undefined && !given.has(name),
  );
  if (lacking !== undefined) return `--${kebab(lacking[0])} is needed`;
  const { positional } = parameters;
  const most =
    positional?.kind === 'tuple' ? positional.parameters.length : positional === undefined ? 0 : Infinity;
  return places > most ? `${places} arguments where ${most} are taken` : undefined;
}

test('every command in a shell block of the pages is one that the command takes', async () => {
  const faults: string[] = [];
  let count = 0;
  for (const page of pages()) {
    for (const words of documented(page)) {
      count++;
      const wrong = await fault(words);
      if (wrong !== undefined) faults.push(`${page}: countersign ${words.join(' ')}: ${wrong}`);
    }
  }
  expect(count).toBeGreaterThan(100);
  expect(faults).toEqual([]);
}, 60_000);
