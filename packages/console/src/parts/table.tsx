import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';

export interface Column<Row> {
  readonly key: string;
  readonly head: string;
  /** CSS width. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  readonly end?: boolean;
}

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Called when the last rows come into sight. */
  readonly onEnd?: (() => void) | undefined;
  /** Nothing more follows. */
  readonly whole: boolean;
}

/** Pixels: rows are of one height, so that those in sight can be counted. */
const ROW = 34;
const BEFORE_END = 40;
const AROUND = 12;

/** A table of any length: only the rows in sight are there. Arrow keys, Page, Home and End move between rows; Enter opens one. */
export function Table<Row>({ label, columns, rows, keyOf, onEnd, whole }: TableProps<Row>): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 800 });
  const [wanted, setWanted] = useState<number>();
  const first = Math.max(0, Math.floor(sight.top / ROW) - AROUND);
  const last = Math.min(rows.length, Math.ceil((sight.top + sight.height) / ROW) + AROUND);

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const look = (): void => setSight({ top: element.scrollTop, height: element.clientHeight });
    look();
    element.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, []);
  useEffect(() => {
    if (!whole && rows.length - last < BEFORE_END) onEnd?.();
  }, [whole, rows.length, last, onEnd]);
  useEffect(() => {
    if (wanted === undefined) return;
    const link = box.current?.querySelector<HTMLElement>(
      `tr[data-row="${wanted}"] a, tr[data-row="${wanted}"] button`,
    );
    if (link === null || link === undefined) return;
    link.focus({ preventScroll: true });
    setWanted(undefined);
  }, [wanted, first, last]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const element = box.current;
    const at = Number((event.target as HTMLElement).closest('tr')?.dataset['row'] ?? Number.NaN);
    const page = Math.max(1, Math.floor(sight.height / ROW) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
    };
    const from = Number.isNaN(at) ? -1 : at;
    const to =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? rows.length - 1
          : from + (steps[event.key] ?? Number.NaN);
    if (element === null || Number.isNaN(to) || rows.length === 0) return;
    event.preventDefault();
    const row = Math.min(rows.length - 1, Math.max(0, to));
    const head = element.querySelector('thead')?.clientHeight ?? ROW;
    if (row * ROW < element.scrollTop) element.scrollTop = row * ROW;
    if ((row + 1) * ROW + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = (row + 1) * ROW + head - element.clientHeight;
    }
    setWanted(row);
  };

  return (
    <div className="table-box" ref={box} role="region" aria-label={label} tabIndex={0} onKeyDown={onKeyDown}>
      <table aria-rowcount={whole ? rows.length + 1 : -1}>
        <colgroup>
          {columns.map(({ key, width }) => (
            <col key={key} style={{ width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ key, head, end }) => (
              <th key={key} scope="col" className={end === true ? 'end' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Space rows={first} columns={columns.length} />
          {rows.slice(first, last).map((row, at) => (
            <tr key={keyOf(row)} data-row={first + at} aria-rowindex={first + at + 2}>
              {columns.map(({ key, cell, end }) => (
                <td key={key} className={end === true ? 'end' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Space rows={rows.length - last} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

function Space({ rows, columns }: { rows: number; columns: number }): ReactNode {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" style={{ height: `${rows * ROW}px` }} className="space">
      <td colSpan={columns} />
    </tr>
  );
}
