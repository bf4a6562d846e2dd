import type { Finding } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { useAct } from '../connection/use-act.ts';
import { everyItem, useAdmin, useAnswer, useList, useMay } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { type Cells, CsvButton } from '../parts/csv.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Choice, TextFilter } from '../parts/filters.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { FINDING_KIND, FINDING_SEVERITY, FINDING_STATE, wordsOf } from '../words/states.ts';
import { day, minute } from '../words/time.ts';

const COLUMNS: readonly Column<Finding>[] = [
  {
    key: 'severity',
    head: 'Severity',
    width: '7rem',
    cell: (row) => <StateMark of={FINDING_SEVERITY[row.severity]} />,
  },
  {
    key: 'kind',
    head: 'What is wrong',
    width: '17rem',
    cell: (row) => <Link to={{ screen: 'findings', subject: row.id }}>{FINDING_KIND[row.kind]}</Link>,
  },
  { key: 'identity', head: 'Identity', width: '20%', cell: (row) => row.client_id },
  { key: 'reason', head: 'Why', width: '45%', cell: (row) => <span title={row.reason}>{row.reason}</span> },
  { key: 'state', head: 'State', width: '9rem', cell: (row) => <StateMark of={FINDING_STATE[row.state]} /> },
  { key: 'since', head: 'Since', width: '7rem', cell: (row) => day(row.first_seen) },
];

const CELLS: Cells<Finding> = [
  ['id', (row) => row.id],
  ['severity', (row) => row.severity],
  ['kind', (row) => row.kind],
  ['client_id', (row) => row.client_id],
  ['reason', (row) => row.reason],
  ['fix', (row) => row.fix],
  ['state', (row) => row.state],
  ['first_seen', (row) => row.first_seen],
  ['last_seen', (row) => row.last_seen],
];

const FILTERS = ['severity', 'kind', 'state', 'identity'] as const;

/** What is wrong with machines, each with the command that mends it. */
export function FindingsScreen({ subject, query }: ScreenProps): ReactNode {
  const { filter, to } = useNavigation();
  const { client } = useAdmin();
  const asked = Object.fromEntries(FILTERS.flatMap((name) => (query[name] ? [[name, query[name]]] : [])));
  const list = useList('findings.list', { query: asked });
  const set = (name: string) => (value: string | undefined) => filter({ [name]: value });
  return (
    <Screen
      title="Findings"
      says="What is wrong with machines, and the one command that mends each. What is mended goes away by itself."
      actions={
        <CsvButton
          name="findings"
          cells={CELLS}
          rows={() => everyItem(client, 'findings.list', { query: asked })}
        />
      }
    >
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Severity"
          value={query['severity'] ?? ''}
          of={wordsOf(FINDING_SEVERITY)}
          onChange={set('severity')}
        />
        <Choice label="What is wrong" value={query['kind'] ?? ''} of={FINDING_KIND} onChange={set('kind')} />
        <Choice
          label="State"
          value={query['state'] ?? ''}
          of={wordsOf(FINDING_STATE)}
          onChange={set('state')}
        />
        <TextFilter
          label="Identity"
          value={query['identity'] ?? ''}
          placeholder="client ID"
          onChange={set('identity')}
        />
      </form>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count rows={list.rows.length} whole={list.whole} asking={list.asking} noun={['finding', 'findings']} />
      {list.rows.length === 0 && list.whole ? (
        <Nothing title={Object.keys(asked).length > 0 ? 'No finding is like this.' : 'Nothing is wrong.'}>
          <p>The authority looks every hour, and when something changes.</p>
        </Nothing>
      ) : (
        <Table
          label="Findings"
          columns={COLUMNS}
          rows={list.rows}
          whole={list.whole}
          onEnd={list.more}
          keyOf={(row) => row.id}
        />
      )}
      <CommandLine text={command(['findings', 'list'], asked, ['--all'])} />
      {subject === undefined ? null : <One id={subject} close={() => to({ screen: 'findings', query })} />}
    </Screen>
  );
}

function One({ id, close }: { id: string; close: () => void }): ReactNode {
  const asked = useAnswer('findings.get', { params: { id } });
  const may = useMay('findings:write');
  const finding = asked.data;
  return (
    <Dialog title={finding === undefined ? 'Finding' : FINDING_KIND[finding.kind]} onClose={close}>
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {finding === undefined ? null : (
        <>
          <p>{finding.reason}</p>
          <dl className="facts">
            <dt>Identity</dt>
            <dd>
              <Link to={{ screen: 'identities', subject: finding.client_id }}>{finding.client_id}</Link>
            </dd>
            <dt>State</dt>
            <dd>
              <StateMark of={FINDING_STATE[finding.state]} />
              {finding.accepted_until === null
                ? null
                : ` until ${day(finding.accepted_until)}: ${finding.accepted_reason}`}
            </dd>
            <dt>Seen</dt>
            <dd>
              {minute(finding.first_seen)} to {minute(finding.last_seen)}
            </dd>
          </dl>
          <CommandLine label="To mend it" text={finding.fix} />
          {may && finding.state === 'open' ? <Accept id={id} /> : null}
          {may && finding.state === 'accepted' ? <Reopen id={id} /> : null}
        </>
      )}
    </Dialog>
  );
}

function Accept({ id }: { id: string }): ReactNode {
  const { client } = useAdmin();
  const act = useAct();
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const accept = (): Promise<boolean> =>
    act.run(() =>
      client.call('findings.accept', { params: { id }, body: { reason, until: `${until}T00:00:00Z` } }),
    );
  return (
    <form
      className="act"
      onSubmit={(event) => {
        event.preventDefault();
        void accept();
      }}
    >
      <h3>Or leave it as it is for a time, and answer for it</h3>
      <label>
        Why{' '}
        <input required maxLength={1000} value={reason} onChange={(event) => setReason(event.target.value)} />
      </label>
      <label>
        Until <input required type="date" value={until} onChange={(event) => setUntil(event.target.value)} />
      </label>
      {act.error === undefined ? null : <Problem error={act.error} />}
      <button disabled={act.busy}>Accept for a time</button>
    </form>
  );
}

function Reopen({ id }: { id: string }): ReactNode {
  const { client } = useAdmin();
  const act = useAct();
  return (
    <>
      {act.error === undefined ? null : <Problem error={act.error} />}
      <button
        type="button"
        disabled={act.busy}
        onClick={() => void act.run(() => client.call('findings.reopen', { params: { id }, body: {} }))}
      >
        Take the acceptance back
      </button>
    </>
  );
}
