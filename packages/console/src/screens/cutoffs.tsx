import type { Cutoff, CutoffOutlook, EndsAlso } from '@countersign/admin-api';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useAct } from '../connection/use-act.ts';
import { everyItem, useAdmin, useList, useMay } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { type Cells, CsvButton } from '../parts/csv.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { exactly, seconds } from '../words/time.ts';
import { Exposure } from './exposure.tsx';

const COLUMNS: readonly Column<Cutoff>[] = [
  {
    key: 'target',
    head: 'What',
    width: '35%',
    cell: (row) => (
      <Link to={{ screen: 'cutoffs', subject: row.id }}>
        {row.kind} {row.target}
      </Link>
    ),
  },
  { key: 'reason', head: 'Why', width: '35%', cell: (row) => row.reason },
  { key: 'by', head: 'Ordered by', width: '20%', cell: (row) => row.ordered_by },
  { key: 'at', head: 'When', width: '12rem', cell: (row) => exactly(row.created_at) },
];

const CELLS: Cells<Cutoff> = [
  ['id', (row) => row.id],
  ['kind', (row) => row.kind],
  ['target', (row) => row.target],
  ['reason', (row) => row.reason],
  ['ordered_by', (row) => row.ordered_by],
  ['not_before', (row) => row.not_before],
  ['created_at', (row) => row.created_at],
];

/** What is trusted no more, and a way to stop trusting something now. */
export function CutoffsScreen({ query }: ScreenProps): ReactNode {
  const { client } = useAdmin();
  const may = useMay('cutoffs:write');
  const list = useList('cutoffs.list', { query: {} });
  return (
    <Screen
      title="Cut-offs"
      says="Stop trusting a machine, a credential, one token or a signing key, from now on. You see the worst case before, and the receipts after."
      actions={
        <CsvButton
          name="cutoffs"
          cells={CELLS}
          rows={() => everyItem(client, 'cutoffs.list', { query: {} })}
        />
      }
    >
      {may ? <Order kind={query['kind'] ?? 'identity'} id={query['id'] ?? ''} /> : null}
      <h2>What was cut off</h2>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count
        rows={list.rows.length}
        whole={list.whole}
        asking={list.asking}
        noun={['cut-off, oldest first', 'cut-offs, oldest first']}
      />
      {list.whole && list.rows.length === 0 ? (
        <Nothing title="Nothing was cut off.">
          <p>Try it on something of no importance before you need it: a drill is an ordinary cut-off.</p>
        </Nothing>
      ) : (
        <Table
          label="Cut-offs"
          columns={COLUMNS}
          rows={list.rows}
          whole={list.whole}
          onEnd={list.more}
          keyOf={(row) => row.id}
          short
        />
      )}
      <CommandLine text={command(['cutoffs', 'list'], {}, ['--all'])} />
    </Screen>
  );
}

const KINDS = { identity: 'Identity', credential: 'Credential', token: 'Token', key: 'Signing key' } as const;
type Kind = keyof typeof KINDS;

function Order(given: { kind: string; id: string }): ReactNode {
  const { client } = useAdmin();
  const { to } = useNavigation();
  const act = useAct();
  const [kind, setKind] = useState<Kind>(given.kind in KINDS ? (given.kind as Kind) : 'identity');
  const [id, setId] = useState(given.id);
  const [reason, setReason] = useState('');
  const [outlook, setOutlook] = useState<CutoffOutlook>();
  const [also, setAlso] = useState<readonly EndsAlso[]>([]);
  const body = { kind, id: id.trim(), reason: reason.trim() };
  const look = async (): Promise<void> => {
    act.forget();
    await act.run(async () => {
      const foreseen = await client.preview('cutoffs.create', { body });
      setAlso(foreseen.ends_also ?? []);
      setOutlook(foreseen.outlook);
    });
  };
  const order = async (): Promise<void> => {
    await act.run(async () => {
      const { body: ordered } = await client.call('cutoffs.create', { body });
      to({ screen: 'cutoffs', subject: ordered.id });
    });
  };
  const changed = (): void => setOutlook(undefined);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void (outlook === undefined ? look() : order());
  };
  return (
    <form className="act order" onSubmit={submit} onChange={changed}>
      <h2>Cut something off</h2>
      <div className="filters">
        <div className="field">
          <label htmlFor="cut-kind">What</label>
          <select id="cut-kind" value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            {Object.entries(KINDS).map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor="cut-id">Which: client ID, id, jti or kid</label>
          <input
            id="cut-id"
            required
            value={id}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setId(event.target.value)}
          />
        </div>
        <div className="field wide">
          <label htmlFor="cut-reason">Why; it stays in the audit log</label>
          <input
            id="cut-reason"
            required
            maxLength={1000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
      </div>
      {act.error === undefined ? null : <Problem error={act.error} />}
      {outlook === undefined ? (
        <button disabled={act.busy}>See what it would reach</button>
      ) : (
        <>
          <p role="status">
            <strong>
              At the worst, it takes {seconds(outlook.worst_case)} until nobody takes its tokens any more.
            </strong>{' '}
            Nothing was done yet.
          </p>
          {also.length === 0 ? null : (
            <p>Ends also: {also.map((each) => `${each.kind} ${each.id}`).join(', ')}.</p>
          )}
          <Exposure servers={outlook.resource_servers} ordered={false} />
          <p className="actions">
            <button className="danger" disabled={act.busy}>
              Cut off {id.trim()} now
            </button>
            <button type="button" onClick={changed}>
              Not yet
            </button>
          </p>
        </>
      )}
      <CommandLine text={command(['cutoffs', 'create'], { ...body })} />
    </form>
  );
}
