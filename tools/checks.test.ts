import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openingComment } from './check-clauses.mjs';
import { isAllowed } from './check-licences.mjs';
import { checkParts } from './check-docs.mjs';
import { checkLockfile } from './check-lockfile.mjs';
import { pathProblems, textProblems } from './check-names.mjs';
import { checkPackages } from './check-packages.mjs';
import { checkShipped } from './check-shipped.mjs';
import { checkSize } from './check-size.mjs';
import { linesRefused } from './check-text.mjs';

let root = '';
afterEach(() => {
  if (root !== '') rmSync(root, { recursive: true, force: true });
});

function tree(files: Record<string, string>): string {
  root = mkdtempSync(join(tmpdir(), 'checks-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('size', () => {
  const lines = (count: number): string => '\n'.repeat(count);

  it('warns from 251 lines, fails from 401, and lets tests and benches be long', () => {
    const report = checkSize(
      tree({
        'packages/a/src/ok.ts': lines(250),
        'packages/a/src/long.ts': lines(251),
        'packages/a/src/too-long.ts': lines(401),
        'packages/a/src/a.test.ts': lines(900),
        'bench/table.mjs': lines(900),
      }),
    );
    expect(report.problems).toEqual(['packages/a/src/too-long.ts: 401 lines, more than 400']);
    expect(report.warnings).toHaveLength(2);
  });
});

describe('packages', () => {
  it('are packed and looked at as they would be published', async () => {
    const entry = (name: string, types: string) => ({ types, default: `./dist/${name}.js` });
    const manifest = (name: string, more: string): string =>
      JSON.stringify({
        name,
        version: '0.1.0',
        license: 'Apache-2.0',
        type: 'module',
        exports: { '.': entry('index', './dist/index.d.ts'), './more': entry('more', more) },
        files: ['dist'],
      });
    const built = (folder: string): Record<string, string> => ({
      [`${folder}/dist/index.js`]: 'export const one = 1;\n',
      [`${folder}/dist/index.d.ts`]: 'export declare const one: number;\n',
      [`${folder}/dist/more.js`]: 'export const two = 2;\n',
    });
    const { problems, skipped } = await checkPackages(
      tree({
        'package.json': JSON.stringify({ private: true, workspaces: ['packages/*'] }),
        'packages/whole/package.json': manifest('whole', './dist/index.d.ts'),
        ...built('packages/whole'),
        'packages/partly/package.json': manifest('partly', './src/more.d.ts'),
        'packages/partly/src/more.d.ts': 'export declare const two: number;\n',
        ...built('packages/partly'),
        'packages/unbuilt/package.json': manifest('unbuilt', './dist/index.d.ts'),
      }),
    );
    // The type file is there, and is not in what would be published.
    expect(problems).toContainEqual(expect.stringMatching(/^partly: .*UntypedResolution/));
    expect(problems).toContainEqual(
      expect.stringMatching(/^partly: .*more.d.ts but the file does not exist/),
    );
    expect(problems.filter((problem) => !problem.startsWith('partly: '))).toEqual([]);
    expect(skipped).toEqual(['packages/unbuilt is not built']);
  });
});

describe('parts', () => {
  it('want a page, a row for it, and no page that nothing stands behind', () => {
    const { problems } = checkParts(
      tree({
        'packages/server/src/policy/rule.ts': '',
        'packages/server/src/policy/whole.ts': '',
        'packages/server/src/policy/whole.test.ts': '',
        'packages/server/src/policy/unlisted.ts': '',
        'packages/server/src/policy/undescribed.ts': '',
        'docs/parts/README.md': '[whole](whole.md)',
        'docs/parts/whole.md': '',
        'docs/parts/unlisted.md': '',
        'docs/parts/gone.md': '',
      }),
    );
    expect(problems).toEqual([
      'docs/parts/undescribed.md: missing; the part has no page',
      'docs/parts/gone.md: no part has this name',
      'docs/parts/README.md: has no row for unlisted',
    ]);
  });
});

describe('names', () => {
  it.each([
    ['packages/a/src/string-utils.ts', 'says nothing'],
    ['packages/a/src/helpers/x.ts', 'says nothing'],
    ['packages/a/src/token-manager.ts', 'says nothing'],
    ['packages/a/src/tokenIssue.ts', 'kebab-case'],
    ['packages/a/src/grants/index.ts', "only a package's face"],
  ])('%s is refused', (path, why) => {
    expect(pathProblems(path).join()).toContain(why);
  });

  it.each([
    'packages/a/src/index.ts',
    'packages/a/src/token.ts',
    'packages/a/src/rfc6749.test.ts',
    'bench/x.config.mjs',
  ])('%s is fine', (path) => {
    expect(pathProblems(path)).toEqual([]);
  });

  it.each([
    ['export class TokenManager {}', 'TokenManager'],
    ['export const scopeHelper = () => {};', 'scopeHelper'],
    ['export async function runService() {}', 'runService'],
    ["export { a } from './a.ts';", 'only passes on'],
    ["export * from './a.ts';\nexport type { B } from './b.ts';", 'only passes on'],
  ])('%s is refused', (text, why) => {
    expect(textProblems('packages/a/src/x.ts', text).join()).toContain(why);
  });

  it.each([
    "export const sharedSecret = '';",
    "export type IdentityKind = 'service' | 'job';",
    "import { a } from './a.ts';\nexport { b } from './b.ts';\nexport const c = a;",
    'const a = 1;\nexport { a };',
  ])('%s is fine', (text) => {
    expect(textProblems('packages/a/src/x.ts', text)).toEqual([]);
  });

  it('export * is refused in a face, explicit names are fine', () => {
    expect(textProblems('packages/a/src/index.ts', "export * from './a.ts';")).toHaveLength(1);
    expect(textProblems('packages/a/src/index.ts', "export { a } from './a.ts';")).toEqual([]);
  });
});

describe('clauses', () => {
  it('looks only at the comments before the code', () => {
    expect(openingComment('// RFC 6749 §5.2\n/** more */\nconst a = 1; // RFC 1')).toContain('RFC 6749 §5.2');
    expect(openingComment('const a = 1; // RFC 1')).toBe('');
  });
});

describe('lockfile', () => {
  const lock = (entry: object): string => JSON.stringify({ packages: { '': {}, 'node_modules/a': entry } });

  it.each([
    [{ integrity: 'sha512-x' }, 0],
    [{ integrity: 'sha512-x', funding: 'https://example.com' }, 0],
    [{ link: true, resolved: 'packages/a' }, 0],
    [{ integrity: 'sha512-x', resolved: 'https://example.com/a.tgz' }, 2],
    [{ version: '1.0.0' }, 1],
  ])('%j has %d problem(s)', (entry, count) => {
    expect(checkLockfile(tree({ 'package-lock.json': lock(entry) })).problems).toHaveLength(count);
  });
});

describe('licences', () => {
  it.each([
    ['MIT', false, true],
    ['(MIT OR GPL-3.0)', false, true],
    ['MIT AND Apache-2.0', false, true],
    ['MIT AND GPL-3.0', false, false],
    ['MPL-2.0', false, false],
    ['MPL-2.0', true, true],
    ['GPL-3.0', true, false],
    [undefined, true, false],
  ])('%s, only to build: %s → %s', (licence, builds, expected) => {
    expect(isAllowed(licence, builds)).toBe(expected);
  });
});

describe('text', () => {
  const secret = ['', 'work', 'main'].join('/');
  it.each([
    [`const a = '${secret}';`, 1],
    [`see ${['', 'home', 'ann', 'x'].join('/')}`, 1],
    [`${['it', 'only('].join('.')}`, 1],
    [`// oxlint-${'disable'}-next-line x`, 1],
    [`// oxlint-${'disable'}-next-line x -- the reason`, 0],
    [`// ${'TO'}DO later`, 1],
    [`// ${'TO'}DO(#12) later`, 0],
    ['at https://example.com/work/x and ./tmp/x', 0],
  ])('%s', (line, count) => {
    expect(linesRefused('packages/a/src/x.ts', line)).toHaveLength(count);
  });
});

describe('shipped', () => {
  const table = { packages: { a: { may: [], is: '' } }, groups: {}, rooms: [], outside: { pg: [] } };
  const files = (exclude: string[], dev: boolean): Record<string, string> => ({
    'floors.json': JSON.stringify(table),
    'package-lock.json': JSON.stringify({ packages: { 'node_modules/@types/pg': { dev } } }),
    'packages/a/tsconfig.json': `{\n  // why\n  "exclude": ${JSON.stringify(exclude)} }`,
    'packages/a/src/a.ts': '',
    'packages/a/src/a.test.ts': '',
    'packages/a/src/port/contract/suite.ts': '',
  });

  it('refuses a build that includes tests or needs types which running does not bring', () => {
    expect(checkShipped(tree(files(['src/**/*.test.ts', 'src/port/contract'], false))).problems).toEqual([]);
    expect(checkShipped(tree(files(['src/**/*.test.ts'], false))).problems).toEqual([
      expect.stringContaining('suite.ts'),
    ]);
    expect(checkShipped(tree(files(['src/**/*.test.ts', 'src/port'], true))).problems).toEqual([
      expect.stringContaining('@types/pg'),
    ]);
  });
});
