import { csvLine } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { Problem } from './problem.tsx';

export type Cells<Row> = readonly (readonly [head: string, cell: (row: Row) => string | number | null])[];

/** RFC 4180; what a sheet would see a formula in is kept text by `csvLine`. */
export function csvOf<Row>(rows: readonly Row[], cells: Cells<Row>): string {
  const lines = rows.map((row) => csvLine(cells.map(([, cell]) => String(cell(row) ?? ''))));
  return csvLine(cells.map(([head]) => head)) + lines.join('');
}

interface CsvProps<Row> {
  /** Without `.csv`. */
  readonly name: string;
  readonly rows: () => Promise<readonly Row[]>;
  readonly cells: Cells<Row>;
}

/** Everything that the list has under its filters, also what was not scrolled to. */
export function CsvButton<Row>({ name, rows, cells }: CsvProps<Row>): ReactNode {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      download(`${name}.csv`, csvOf(await rows(), cells));
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void save()} disabled={busy}>
        {busy ? 'Collecting…' : 'Download CSV'}
      </button>
      {error === undefined ? null : <Problem error={error} />}
    </>
  );
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
