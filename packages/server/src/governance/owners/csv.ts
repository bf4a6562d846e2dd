// Comma-separated values: RFC 4180 §2, with LF as well as CRLF.

import type { GiveWay } from '../../telemetry/pacer.ts';

/** One record: its fields, and the line on which it begins, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with it, and in which field, counted from 1; its fields are those up to there. */
  readonly fault?: { readonly column: number; readonly detail: string } | undefined;
}

export type CsvReading =
  | { readonly ok: true; readonly records: readonly CsvRecord[] }
  /** Nothing behind `line` can be told apart. */
  | { readonly ok: false; readonly line: number; readonly detail: string };

/** Records that are read without a break. */
const AT_ONCE = 100;

/** Reads at most `most` records, the header counted; one more is a fault of the whole. `giveWay` is called in between. */
export async function readCsv(text: string, most: number, giveWay: GiveWay): Promise<CsvReading> {
  const records: CsvRecord[] = [];
  // A byte order mark, as sheets write it.
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    if (records.length >= most) return { ok: false, line, detail: `more than ${most - 1} rows` };
    const read = readRecord(text, at, line);
    if ('detail' in read) return { ok: false, line: read.line, detail: read.detail };
    // An empty line, as at the end of a file, is no record.
    if (read.record.fields.length > 1 || read.record.fields[0] !== '' || read.record.fault !== undefined)
      records.push(read.record);
    ({ at, line } = read);
    if (records.length % AT_ONCE === 0) await giveWay();
  }
  return { ok: true, records };
}

interface Read {
  readonly record: CsvRecord;
  readonly at: number;
  readonly line: number;
}

function readRecord(
  text: string,
  start: number,
  firstLine: number,
): Read | { readonly line: number; readonly detail: string } {
  const fields: string[] = [];
  let at = start;
  let line = firstLine;
  for (;;) {
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1);
      if (end === undefined) return { line, detail: 'a quoted field that never ends' };
      const raw = text.slice(at + 1, end);
      line += countLines(raw);
      fields.push(raw.replaceAll('""', '"'));
      at = end + 1;
      if (at < text.length && !isEnd(text[at])) {
        const detail = 'text behind the closing quote of a field';
        const next = afterLine(text, at);
        return {
          record: { line: firstLine, fields, fault: { column: fields.length, detail } },
          at: next,
          line: line + 1,
        };
      }
    } else {
      let end = at;
      while (end < text.length && !isEnd(text[end])) end++;
      const raw = text.slice(at, end);
      fields.push(raw);
      if (raw.includes('"')) {
        const detail = 'a quote within a field that is not quoted';
        const next = afterLine(text, end);
        return {
          record: { line: firstLine, fields, fault: { column: fields.length, detail } },
          at: next,
          line: line + 1,
        };
      }
      at = end;
    }
    if (text[at] !== ',') break;
    at++;
  }
  if (text[at] === '\r' && text[at + 1] === '\n') at++;
  return { record: { line: firstLine, fields }, at: at + 1, line: line + 1 };
}

/** RFC 4180 §2.7: a quote within a quoted field is doubled. */
function closingQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return undefined;
}

function isEnd(char: string | undefined): boolean {
  return char === ',' || char === '\n' || char === '\r';
}

function afterLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end + 1;
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
