import { expect, test } from 'vitest';
import { csvLine, withoutGuard } from './csv.ts';

test.each(['=1+1', '+1', '-1', '@sum', '\t=1', '\r=1', '\n=1', '＝1+1', '＋1', '－1', '＠sum', "'t Hooft"])(
  'a cell in which a sheet would see a formula is kept text: %j',
  (cell) => {
    expect(csvLine([cell]).replace(/^"|"?\r\n$/g, '')).toBe(`'${cell}`);
  },
);

test('other cells are as they are, and what separates cells is quoted', () => {
  expect(csvLine(['Ada', 'a=b', '1-2', 'a,b', 'a "b"', 'a\nb', ' a'])).toBe(
    'Ada,a=b,1-2,"a,b","a ""b""","a\nb"," a"\r\n',
  );
});

test('the apostrophe against formulas comes off, and only that one', () => {
  for (const [cell, name] of [
    ["'=cmd|calc", '=cmd|calc'],
    ["'-1", '-1'],
    ["'＝1", '＝1'],
    ["''t Hooft", "'t Hooft"],
    ["'t Hooft", "'t Hooft"],
    ['Ada', 'Ada'],
    ["'", "'"],
  ] as const) {
    expect(withoutGuard(cell)).toBe(name);
  }
});
