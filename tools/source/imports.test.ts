import { describe, expect, it } from 'vitest';
import { importsOf } from './imports.mjs';

/** Kind and specifier of each import, in order. */
function found(text: string): string[] {
  return importsOf(text).map(({ kind, specifier }) => `${kind} ${specifier ?? '?'}`);
}

describe('every way of naming a module is seen', () => {
  it.each([
    ["import './a.ts'", ['import ./a.ts']],
    ["import a from './a.ts'", ['import ./a.ts']],
    ["import a, { b as c, type D } from './a.ts'", ['import ./a.ts']],
    ["import * as a from './a.ts'", ['import ./a.ts']],
    ["import {\n  a, // from './no.ts'\n  b,\n} from './a.ts';", ['import ./a.ts']],
    ["import type { A } from './a.ts'", ['type ./a.ts']],
    ["import type A from './a.ts'", ['type ./a.ts']],
    ["import type from './a.ts'", ['import ./a.ts']],
    ["import { from } from './a.ts'", ['import ./a.ts']],
    ["import { 'a b' as c } from './a.ts'", ['import ./a.ts']],
    ["import data from './a.json' with { type: 'json' }", ['import ./a.json']],
    ["export * from './a.ts'", ['export ./a.ts']],
    ["export * as a from './a.ts'", ['export ./a.ts']],
    ["export { a } from './a.ts'", ['export ./a.ts']],
    ["export type { A } from './a.ts'", ['export ./a.ts']],
    ["export type * from './a.ts'", ['export ./a.ts']],
    ["await import('./a.ts')", ['lazy ./a.ts']],
    ['await import(`./a.ts`)', ['lazy ./a.ts']],
    ["type A = import('./a.ts').A", ['lazy ./a.ts']],
    ['await import(name)', ['lazy ?']],
    ['await import(`./${name}.ts`)', ['lazy ?']],
    ["const a = require('./a.cjs')", ['require ./a.cjs']],
    ["import a = require('./a.cjs')", ['require ./a.cjs']],
    ["new Worker(new URL('./a.js', import.meta.url))", ['url ./a.js']],
    ["`${`${await import('./a.ts')}`}`; import './b.ts'", ['lazy ./a.ts', 'import ./b.ts']],
  ])('%s', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });
});

describe('text is not taken for code', () => {
  it.each([
    ["// import './a.ts'"],
    ["/* import './a.ts'\n import './b.ts' */"],
    ['const a = "import \'./a.ts\'";'],
    ["const a = 'it\\'s import \"./a.ts\"';"],
    ["const a = `import './a.ts' ${1 + 1} import './b.ts'`;"],
    ["const a = /import '.\\/a.ts'/;"],
    ['const a = /[/\'"`]/; const b = \' import "./a.ts" \';'],
    ["if (a) /'/.test(b); const c = \" import './a.ts' \";"],
    ['const a = b / c; const d = "import \'./a.ts\'" / 2;'],
    ["const a = x.import('./a.ts'); y.require('./b.ts'); const u = import.meta.url;"],
    ["export const a = { from: './a.ts' }; export type B = { from: './b.ts' };"],
    ["export { a }; const from = './a.ts';"],
    ["export default from; './a.ts'"],
    ['const o = { import: 1, export: 2 }; class A { #import = 1; require = 2 }'],
    ["#!/usr/bin/env node import './a.ts'"],
  ])('%s', (text) => {
    expect(found(text)).toEqual([]);
  });
});

it('knows the line of each import, after strings, comments and templates of many lines', () => {
  const text = "/*\n\n*/ const a = `\n${1}\n`;\nimport './a.ts';\n'\\\n'; import './b.ts';";
  expect(importsOf(text).map(({ line }) => line)).toEqual([6, 8]);
});
