import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkFloors } from './check-floors.mjs';
import { render, writePage } from './floors/page.mjs';
import { ROOT } from './source/report.mjs';
import { contradictions, readTable, type Table } from './floors/table.mjs';

const TABLE: Table = {
  packages: {
    base: { may: [], is: 'the base' },
    sdk: { may: ['base'], is: 'an SDK' },
    app: { may: ['base', 'sdk'], is: 'app' },
  },
  groups: { ground: ['clock', 'storage'] },
  rooms: [
    { room: 'clock', floor: 1, paths: ['packages/app/src/clock.ts'], may: [] },
    { room: 'storage', floor: 1, paths: ['packages/app/src/storage/**'], may: ['base'] },
    {
      room: 'database',
      floor: 3,
      adapter: true,
      paths: ['packages/app/src/database/**'],
      may: ['storage', 'src/audit/log.ts'],
    },
    { room: 'audit', floor: 2, paths: ['packages/app/src/audit/**'], may: ['ground'] },
    { room: 'tokens', floor: 5, wing: 'oauth', paths: ['packages/app/src/oauth/tokens/**'], may: ['ground'] },
    {
      room: 'oauth',
      floor: 5.4,
      wing: 'oauth',
      paths: ['packages/app/src/oauth/compose.ts'],
      may: ['tokens', 'ground'],
    },
    {
      room: 'rules',
      floor: 5,
      wing: 'governance',
      apart: true,
      paths: ['packages/app/src/governance/*/**'],
      may: ['ground'],
    },
    {
      room: 'governance',
      floor: 5.4,
      wing: 'governance',
      paths: ['packages/app/src/governance/compose.ts'],
      may: ['rules'],
    },
    {
      room: 'compose',
      floor: 6,
      composes: true,
      paths: ['packages/app/src/compose.ts'],
      may: ['database', 'oauth', 'governance', 'ground'],
    },
    { room: 'base', paths: ['packages/base/src/**'], may: [] },
    { room: 'sdk', paths: ['packages/sdk/src/**'], may: ['base'] },
    { room: 'app commands', paths: ['packages/app/src/commands/**'], may: ['base'], mayLazily: ['sdk'] },
    { room: 'tools', paths: ['tools/**'], may: [] },
  ],
  outside: { fastify: ['packages/app/src/oauth/**'] },
};

/** A tree that holds: each test adds what breaks it. */
const SOUND = {
  'packages/base/src/index.ts': 'export const one = 1;',
  'packages/sdk/src/index.ts': "import { one } from '@countersign/base'; export const two = one + one;",
  'packages/app/src/clock.ts': 'export type Clock = () => number;',
  'packages/app/src/storage/store.ts': "import { one } from '@countersign/base'; export const store = one;",
  'packages/app/src/database/sql.ts':
    "import { store } from '../storage/store.ts'; export const sql = store;",
  'packages/app/src/audit/log.ts': "import type { Clock } from '../clock.ts'; export type Log = Clock;",
  'packages/app/src/audit/segment.ts': 'export const segment = 1;',
  'packages/app/src/oauth/tokens/issue.ts':
    "import type { Clock } from '../../clock.ts'; export type Issue = Clock;",
  'packages/app/src/oauth/compose.ts': "export { type Issue } from './tokens/issue.ts';",
  'packages/app/src/governance/owners/owner.ts': 'export const owner = 1;',
  'packages/app/src/governance/reviews/review.ts': 'export const review = 1;',
  'packages/app/src/governance/compose.ts':
    "import { owner } from './owners/owner.ts'; export const all = [owner];",
  'packages/app/src/compose.ts':
    "import { sql } from './database/sql.ts'; import './oauth/compose.ts'; export const app = sql;",
};

let root = '';
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The problems of the sound tree with these files put over it. */
function problemsWith(files: Record<string, string>, table: Table = TABLE): string[] {
  root = mkdtempSync(join(tmpdir(), 'floors-'));
  const manifests = Object.fromEntries(
    Object.keys(table.packages).map((name) => [`packages/${name}/package.json`, '{}']),
  );
  const all = { 'floors.json': JSON.stringify(table), ...manifests, ...SOUND, ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  if (!('ARCHITECTURE.md' in files)) {
    const [begin, end] = [
      '<!-- floors:begin (made by: node tools/check-floors.mjs --write) -->',
      '<!-- floors:end -->',
    ];
    writeFileSync(join(root, 'ARCHITECTURE.md'), `# House\n${begin}\n${end}\nmore\n`);
    writePage(root, table);
  }
  return checkFloors(root).problems;
}

describe('a tree that follows its table', () => {
  it('has no problem', () => {
    expect(problemsWith({})).toEqual([]);
  });

  it('may name one file of a room that is closed otherwise', () => {
    expect(
      problemsWith({ 'packages/app/src/database/log.ts': "import type { Log } from '../audit/log.ts';" }),
    ).toEqual([]);
    expect(problemsWith({ 'packages/app/src/database/log.ts': "import '../audit/segment.ts';" })).toEqual([
      expect.stringContaining('database may not import audit'),
    ]);
  });
});

describe('an arrow that the table does not allow is found', () => {
  const cases: [string, Record<string, string>, string][] = [
    [
      'upward',
      { 'packages/app/src/audit/up.ts': "import '../compose.ts';" },
      'audit may not import compose: arrows go down',
    ],
    [
      'upward by a type',
      { 'packages/app/src/storage/x.ts': "import type { Log } from '../audit/log.ts';" },
      'arrows go down',
    ],
    [
      'upward by export … from',
      { 'packages/app/src/storage/x.ts': "export { segment } from '../audit/segment.ts';" },
      'arrows go down',
    ],
    [
      'upward by export type *',
      { 'packages/app/src/storage/x.ts': "export type * from '../audit/log.ts';" },
      'arrows go down',
    ],
    [
      'upward by import()',
      { 'packages/app/src/storage/x.ts': "const x = await import('../audit/log.ts');" },
      'arrows go down',
    ],
    [
      'upward in a type position',
      { 'packages/app/src/storage/x.ts': "type X = import('../audit/log.ts').Log;" },
      'arrows go down',
    ],
    [
      'upward from inside a template',
      { 'packages/app/src/storage/x.ts': "const x = `${await import('../audit/log.ts')}`;" },
      'arrows go down',
    ],
    [
      'upward by a worker',
      { 'packages/app/src/storage/x.ts': "new Worker(new URL('../audit/log.js', import.meta.url));" },
      'arrows go down',
    ],
    [
      'between the wings',
      { 'packages/app/src/oauth/tokens/x.ts': "import '../../governance/owners/owner.ts';" },
      'the wings do not touch',
    ],
    [
      'between the wings, back',
      { 'packages/app/src/governance/compose.ts': "import type { Issue } from '../oauth/compose.ts';" },
      'the wings do not touch',
    ],
    [
      'between the wings in a test',
      {
        'packages/app/src/oauth/tokens/x.test.ts': "import '../../governance/compose.ts';",
      },
      'the wings do not touch',
    ],
    [
      'between rules',
      { 'packages/app/src/governance/owners/x.ts': "import '../reviews/review.ts';" },
      'do not know each other',
    ],
    [
      'to an adapter',
      { 'packages/app/src/oauth/compose.ts': "import '../database/sql.ts';" },
      'adapters are named only in compose.ts and main.ts',
    ],
    [
      'to a package',
      { 'packages/app/src/audit/x.ts': "import '@countersign/base';" },
      'audit may not import package base',
    ],
    [
      'from a package upwards',
      { 'packages/base/src/x.ts': "import '@countersign/sdk';" },
      'package base may not import package sdk',
    ],
    [
      'by path into a package',
      { 'packages/sdk/src/x.ts': "import '../../base/src/index.ts';" },
      'reaches into package base by a path',
    ],
    [
      'by path into a built package',
      { 'tools/x.mjs': "import '../packages/base/dist/index.js';" },
      'reaches into package base by a path',
    ],
    [
      'to itself by name',
      { 'packages/base/src/x.ts': "import '@countersign/base';" },
      'imports its own package by name',
    ],
    [
      'to an unknown package',
      { 'packages/sdk/src/x.ts': "import '@countersign/nothing';" },
      'knows no package of that name',
    ],
    [
      'eager where only lazy is allowed',
      { 'packages/app/src/commands/x.ts': "import { two } from '@countersign/sdk';" },
      'only lazily',
    ],
    [
      'to a test',
      { 'packages/app/src/audit/y.test.ts': '', 'packages/app/src/audit/x.ts': "import './y.test.ts';" },
      'imports the test',
    ],
    ['computed', { 'packages/app/src/audit/x.ts': 'await import(name);' }, 'computed name'],
    [
      'outside, undeclared',
      { 'packages/sdk/src/x.ts': "import 'left-pad/sub';" },
      'imports left-pad: a dependency from outside is declared',
    ],
    [
      'outside, elsewhere',
      { 'packages/app/src/audit/x.ts': "import 'fastify';" },
      'imports fastify, which only packages/app/src/oauth/** may name',
    ],
  ];
  for (const [name, files, message] of cases) {
    it(name, () => {
      const problems = problemsWith(files);
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) expect(problem).toContain(message);
    });
  }

  it('and what is allowed lazily passes lazily', () => {
    const lazy = "import type { X } from '@countersign/sdk'; const m = await import('@countersign/sdk');";
    expect(problemsWith({ 'packages/app/src/commands/x.ts': lazy })).toEqual([]);
  });

  it('and tests are otherwise free in their own package', () => {
    const test =
      "import '../compose.ts'; import 'vitest'; import '@countersign/sdk'; import '../database/sql.ts';";
    expect(problemsWith({ 'packages/app/src/audit/x.test.ts': test })).toEqual([]);
  });
});

describe('a circle is found', () => {
  it('between two files of one room, even by types', () => {
    const files = {
      'packages/app/src/audit/a.ts': "import type { B } from './b.ts';",
      'packages/app/src/audit/b.ts': "import { a } from './a.ts';",
    };
    expect(problemsWith(files)).toEqual([
      'packages/app/src/audit/a.ts: imports go in a circle: packages/app/src/audit/a.ts → packages/app/src/audit/b.ts → packages/app/src/audit/a.ts',
    ]);
  });

  it('of one file', () => {
    expect(problemsWith({ 'packages/base/src/a.ts': "export * from './a.ts';" })).toHaveLength(1);
  });

  it('but not through a test', () => {
    const files = {
      'packages/base/src/a.test.ts': "import './b.test.ts';",
      'packages/base/src/b.test.ts': "import './a.test.ts';",
    };
    expect(problemsWith(files)).toEqual([]);
  });
});

describe('the table itself', () => {
  const withMay = (room: string, may: string[]): Table => ({
    ...TABLE,
    rooms: TABLE.rooms.map((entry) => (entry.room === room ? { ...entry, may } : entry)),
  });

  it('may not allow an upward arrow, a touch of the wings, an adapter, or what does not exist', () => {
    expect(contradictions(TABLE)).toEqual([]);
    expect(contradictions(withMay('audit', ['compose']))).toEqual([
      'floors.json: audit → compose: an arrow goes to a lower floor',
    ]);
    expect(contradictions(withMay('oauth', ['rules']))).toEqual([
      'floors.json: oauth → rules: the wings do not touch',
    ]);
    expect(contradictions(withMay('oauth', ['database']))).toEqual([
      'floors.json: oauth → database: adapters are named only in compose.ts and main.ts',
    ]);
    expect(contradictions(withMay('oauth', ['cellar']))).toEqual([
      'floors.json: oauth → cellar: there is no such room or package',
    ]);
  });

  it('may not let packages go in a circle', () => {
    const circle = { ...TABLE, packages: { ...TABLE.packages, base: { may: ['sdk'], is: '' } } };
    expect(contradictions(circle).join()).toContain('packages in a circle');
  });

  it('wants every file in a room, every package on disk, and no dependency beyond it', () => {
    expect(problemsWith({ 'packages/app/src/attic/x.ts': '' })).toEqual([
      'packages/app/src/attic/x.ts: in no room; declare its folder in floors.json',
    ]);
    expect(
      problemsWith({ 'packages/base/package.json': '{"dependencies":{"@countersign/sdk":"1"}}' }),
    ).toEqual([
      'packages/base/package.json: depends on @countersign/sdk, which its row of floors.json does not allow',
    ]);
  });

  it('is shown in ARCHITECTURE.md, which fails when stale', () => {
    expect(problemsWith({ 'ARCHITECTURE.md': 'nothing' })).toEqual([
      expect.stringContaining('has no place for the table'),
    ]);
    const stale =
      '<!-- floors:begin (made by: node tools/check-floors.mjs --write) -->\nold\n<!-- floors:end -->';
    expect(problemsWith({ 'ARCHITECTURE.md': stale })).toEqual([
      expect.stringContaining("its table is not floors.json's"),
    ]);
  });
});

it("this repository's table holds and its page shows it", () => {
  const table = readTable(ROOT);
  expect(contradictions(table)).toEqual([]);
  expect(render(table)).toContain('| 6 | compose |');
});
