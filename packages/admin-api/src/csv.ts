// Comma-separated values: RFC 4180 §2.

/**
 * A record as a line. A cell in which a sheet would see a formula gets an apostrophe in front, as one that begins with an
 * apostrophe already, so that it can be told apart: `countersign people import` takes it off again.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(guarded(cell))).join(',')}\r\n`;
}

function guarded(cell: string): string {
  return /^[=+\-@\t\r']/.test(cell) ? `'${cell}` : cell;
}

function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
