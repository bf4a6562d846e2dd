import type { Access } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import type { Listed } from '../connection/use-admin.tsx';
import type { Cells } from '../parts/csv.tsx';
import { StateMark, UseMark } from '../parts/marks.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link } from '../routing/navigation.tsx';
import { ACCESS_STATE } from '../words/states.ts';
import { day } from '../words/time.ts';
import { useOf } from './access-facts.ts';

const COLUMNS: readonly Column<Access>[] = [
  {
    key: 'identity',
    head: 'Identity',
    width: '20%',
    cell: (row) => <Link to={{ screen: 'identities', subject: row.client_id }}>{row.client_id}</Link>,
  },
  {
    key: 'resource',
    head: 'API',
    width: '24%',
    cell: (row) => <span title={row.resource}>{row.resource}</span>,
  },
  {
    key: 'scopes',
    head: 'Scopes',
    width: '22%',
    cell: (row) => <span title={row.scopes.join(' ')}>{row.scopes.join(' ')}</span>,
  },
  { key: 'state', head: 'State', width: '10rem', cell: (row) => <StateMark of={ACCESS_STATE[row.state]} /> },
  { key: 'use', head: 'Use', width: '7rem', cell: (row) => <UseMark of={useOf(row)} /> },
  { key: 'last', head: 'Last used', width: '7rem', cell: (row) => lastUsed(row) },
  { key: 'ends', head: 'Ends', width: '7rem', cell: (row) => day(row.expires_at) },
];

export const ACCESS_CELLS: Cells<Access> = [
  ['id', (row) => row.id],
  ['client_id', (row) => row.client_id],
  ['resource', (row) => row.resource],
  ['scopes', (row) => row.scopes.join(' ')],
  ['state', (row) => row.state],
  ['use', (row) => row.usage?.state ?? ''],
  ['use_since', (row) => row.usage?.since ?? null],
  ['coverage', (row) => row.usage?.coverage ?? null],
  ['last_used', (row) => row.usage?.last_used ?? null],
  ['justification', (row) => row.justification],
  ['requested_by', (row) => row.requested_by],
  ['approved_by', (row) => row.approved_by],
  ['expires_at', (row) => row.expires_at],
];

export function AccessList({ list }: { list: Listed<Access> }): ReactNode {
  return (
    <Table
      label="Access"
      columns={COLUMNS}
      rows={list.rows}
      whole={list.whole}
      onEnd={list.more}
      keyOf={(row) => row.id}
    />
  );
}

function lastUsed({ usage }: Access): string {
  const at = usage?.last_used ?? null;
  return at === null ? '–' : day(at);
}
