import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCsv } from './csv.ts';

const read = (text: string, most: number): ReturnType<typeof readCsv> =>
  readCsv(text, most, () => Promise.resolve());
const fieldsOf = async (text: string): Promise<unknown> => {
  const reading = await read(text, 100);
  return reading.ok ? reading.records.map(({ fields }) => fields) : reading;
};

test('records, quotes, doubled quotes and line breaks within them, CRLF and LF, with and without an end', async () => {
  expect(await fieldsOf('a,b\r\n1,2\r\n')).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
  expect(await fieldsOf('a,b\n1,2')).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
  expect(await fieldsOf('\uFEFFa\n"x, ""y""\nz",')).toEqual([['a'], ['x, "y"\nz', '']]);
  expect(await fieldsOf(',\n""\n\n"",""\n')).toEqual([
    ['', ''],
    ['', ''],
  ]);
  expect(await fieldsOf('')).toEqual([]);
});

test('each record knows the line on which it begins', async () => {
  const reading = await read('a\n"1\n2\n3"\nb\n', 100);
  expect(reading.ok && reading.records.map(({ line }) => line)).toEqual([1, 2, 5]);
});

test('what is wrong with one record leaves the others as they are', async () => {
  const reading = await read('a,b\nx"y,1\n"x"y,2\nok,"3"\n', 100);
  expect(reading.ok && reading.records.map(({ line, fault }) => [line, fault?.column])).toEqual([
    [1, undefined],
    [2, 1],
    [3, 1],
    [4, undefined],
  ]);
});

test('a quote that is never closed, and one row too many, end the whole', async () => {
  expect(await read('a\nb,"c\nd\n', 100)).toMatchObject({ ok: false, line: 2 });
  expect(await read('a\nb\nc', 2)).toEqual({ ok: false, line: 3, detail: 'more than 1 rows' });
  expect(await read('a\nb\n', 2)).toMatchObject({ ok: true });
});

test('whatever is written by the rules is read as it was', async () => {
  const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
  const rows = fc.array(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 4 }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), async (given, end) => {
      const text = given.map((row) => row.map(quote).join(',')).join(end);
      expect(await fieldsOf(text)).toEqual(given);
    }),
  );
});

test('no text makes it fail or take long', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' '), maxLength: 200 }),
      async (text) => {
        await read(text, 50);
      },
    ),
  );
  const began = performance.now();
  await read('"'.repeat(2_000_000), 10);
  await read('a"'.repeat(1_000_000), 10);
  expect(performance.now() - began).toBeLessThan(5000);
});
