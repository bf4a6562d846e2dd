// Comma-separated values: RFC 4180 §2.

/**
 * A record as a line. A cell in which a sheet would see a formula gets an apostrophe in front, as one that begins with an
 * apostrophe already, so that it can be told apart: `countersign people import` takes it off again.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(guarded(cell))).join(',')}\r\n`;
}

/** Sheets in East Asian languages read full-width signs as the others; white space in front of them is passed over. */
const GUARDED = /^[=+\-@\t\r\n＝＋－＠']/;

function guarded(cell: string): string {
  return GUARDED.test(cell) ? `'${cell}` : cell;
}

/** The cell without what `csvLine` put in front. `'t Hooft`, as a sheet of others has it, stays what it is. */
export function withoutGuard(cell: string): string {
  return cell.startsWith("'") && GUARDED.test(cell.slice(1)) ? cell.slice(1) : cell;
}

function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
