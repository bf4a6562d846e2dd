import { cutTo, padTo, textWidth } from './text-width.ts';
import { visible } from './visible-text.ts';

export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
}

const GAP = '  ';
const LEAST_WIDTH = 8;

/** Lines of a table, header first. With `maxWidth` the widest columns give way until it fits. */
export function tableLines<T>(
  columns: readonly Column<T>[],
  items: readonly T[],
  maxWidth: number | undefined,
): readonly string[] {
  const rows = [
    columns.map((column) => column.header),
    ...items.map((item) => columns.map((column) => visible(column.value(item)))),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => textWidth(row[index] ?? ''))));
  if (maxWidth !== undefined) shrink(widths, maxWidth - GAP.length * (columns.length - 1));
  return rows.map((row) =>
    row
      .map((cell, index) => padTo(cutTo(cell, widths[index] ?? 0), widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** Names in front, values behind, for one object. */
export function fieldLines(fields: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...fields.map(([name]) => textWidth(name)));
  return fields.map(([name, value]) => `${padTo(name, width)}${GAP}${visible(value)}`.trimEnd());
}

function shrink(widths: number[], available: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) - available;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_WIDTH) return;
    widths[widths.indexOf(widest)] = widest - 1;
    excess--;
  }
}
