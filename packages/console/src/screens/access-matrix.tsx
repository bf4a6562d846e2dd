import type { Access, ResourceServer } from '@countersign/admin-api';
import { type ReactNode, useEffect, useState } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { UseMark } from '../parts/marks.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import { USE } from '../words/states.ts';
import { isLive, useOf } from './access-facts.ts';

export interface MatrixRow {
  readonly clientId: string;
  readonly name: string;
  /** Undefined: it is asked for when the row comes into sight. */
  readonly access: readonly Access[] | undefined;
}

interface MatrixProps {
  readonly rows: readonly MatrixRow[];
  readonly whole: boolean;
  readonly onEnd: () => void;
  readonly columns: readonly Pick<ResourceServer, 'identifier' | 'name'>[];
  readonly asOf: string | undefined;
}

/** A row for each machine, a column for each API, and in a cell whether what may be done is done. */
export function AccessMatrix({ rows, whole, onEnd, columns, asOf }: MatrixProps): ReactNode {
  const heads: Column<MatrixRow>[] = [
    { key: 'identity', head: 'Identity', width: '240px', cell: () => null },
    ...columns.map(({ identifier, name }) => ({
      key: identifier,
      head: name,
      width: '104px',
      cell: () => null,
    })),
  ];
  return (
    <div className="matrix">
      <Table
        label="Who can reach what"
        columns={heads}
        rows={rows}
        whole={whole}
        onEnd={onEnd}
        keyOf={(row) => row.clientId}
        cells={(row) => <Cells row={row} columns={columns} asOf={asOf} />}
      />
    </div>
  );
}

/** Milliseconds for which a row has to stay in sight before it asks: who only scrolls past asks nothing. */
const REST_MS = 90;

function Cells({
  row,
  columns,
  asOf,
}: Pick<MatrixProps, 'columns' | 'asOf'> & { row: MatrixRow }): ReactNode {
  const [resting, setResting] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setResting(true), REST_MS);
    return () => clearTimeout(timer);
  }, []);
  const query = { identity: row.clientId, limit: 200, ...(asOf === undefined ? {} : { as_of: asOf }) };
  const asked = useAnswer('access.list', { query }, { when: resting && row.access === undefined });
  const access = row.access ?? asked.data?.items;
  return (
    <>
      <th scope="row">
        <Link to={{ screen: 'identities', subject: row.clientId }} title={row.name}>
          {row.clientId}
        </Link>
      </th>
      {columns.map(({ identifier }) => (
        <td key={identifier}>
          {access === undefined ? (
            <span className="quiet">{asked.error === undefined ? '…' : 'failed'}</span>
          ) : (
            <Cell
              clientId={row.clientId}
              access={access.filter((each) => each.resource === identifier && isLive(each))}
            />
          )}
        </td>
      ))}
    </>
  );
}

function Cell({ clientId, access: [access] }: { clientId: string; access: readonly Access[] }): ReactNode {
  const { filter } = useNavigation();
  if (access === undefined) return <span className="unseen">no access</span>;
  const use = useOf(access);
  const many = access.scopes.length;
  const stopped = access.state === 'active' ? '' : `, ${access.state}`;
  return (
    <button
      type="button"
      className="cell"
      title={access.scopes.join(' ')}
      aria-label={`${clientId} at ${access.resource}: ${many} scopes, ${USE[use].word}${stopped}. Show the paths`}
      onClick={() => filter({ path: clientId })}
    >
      <UseMark of={use} word={false} /> {many}
      {stopped === '' ? null : <span aria-hidden="true"> ■</span>}
    </button>
  );
}
