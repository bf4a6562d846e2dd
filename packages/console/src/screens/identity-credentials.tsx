import type { Credential } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { useList } from '../connection/use-admin.tsx';
import { CredentialTimeline } from '../parts/credential-timeline.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { StateMark, UseMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link } from '../routing/navigation.tsx';
import { command } from '../words/command.ts';
import { CREDENTIAL_STATE } from '../words/states.ts';
import { day, fromNow, minute } from '../words/time.ts';

const lastUsed = ({ usage }: Credential): string => {
  const at = usage?.last_used ?? null;
  return at === null ? '–' : minute(at);
};

const COLUMNS: readonly Column<Credential>[] = [
  { key: 'label', head: 'Credential', width: '22%', cell: (row) => <span title={row.id}>{row.label}</span> },
  { key: 'type', head: 'Method', width: '17%', cell: (row) => row.type },
  {
    key: 'state',
    head: 'State',
    width: '8rem',
    cell: (row) => <StateMark of={CREDENTIAL_STATE[row.state]} />,
  },
  {
    key: 'use',
    head: 'Use',
    width: '7rem',
    cell: (row) => (row.usage === undefined ? '–' : <UseMark of={row.usage.state} />),
  },
  {
    key: 'last',
    head: 'Last used',
    width: '9.5rem',
    cell: (row) => lastUsed(row),
  },
  {
    key: 'ends',
    head: 'Ends',
    width: '12rem',
    cell: (row) => `${day(row.expires_at)}, ${fromNow(row.expires_at, Date.now())}`,
  },
  {
    key: 'cut',
    head: 'Stop',
    width: '6rem',
    cell: (row) =>
      row.state === 'active' ? (
        <Link to={{ screen: 'cutoffs', query: { kind: 'credential', id: row.id } }}>Cut off…</Link>
      ) : null,
  },
];

/** How one machine proves who it is, in time. */
export function IdentityCredentials({ id }: { id: string }): ReactNode {
  const list = useList('credentials.of_identity', { params: { id }, query: {} });
  const now = Date.now();
  return (
    <section aria-labelledby="credentials">
      <h2 id="credentials">Credentials</h2>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      {list.whole && list.rows.length === 0 ? (
        <Nothing title="It cannot prove who it is yet.">
          <CommandLine
            label="Give it a credential:"
            text={command(['credentials', 'create', id], { type: 'private_key_jwt' })}
          />
        </Nothing>
      ) : null}
      {list.rows.length === 0 ? null : (
        <>
          <CredentialTimeline credentials={list.rows.slice(0, 20)} now={now} />
          <Table
            label={`Credentials of ${id}`}
            columns={COLUMNS}
            rows={list.rows}
            whole={list.whole}
            onEnd={list.more}
            keyOf={(row) => row.id}
            short
          />
        </>
      )}
      <CommandLine text={command(['credentials', 'list'], { identity: id }, ['--all'])} />
    </section>
  );
}
