import type { Approval } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { useAct } from '../connection/use-act.ts';
import { everyItem, useAdmin, useList, useMay } from '../connection/use-admin.tsx';
import { Changes } from '../parts/changes.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { type Cells, CsvButton } from '../parts/csv.tsx';
import { Choice } from '../parts/filters.tsx';
import { Inbox } from '../parts/inbox.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { APPROVAL_STATE, wordsOf } from '../words/states.ts';
import { fromNow, minute } from '../words/time.ts';

const CELLS: Cells<Approval> = [
  ['id', (row) => row.id],
  ['state', (row) => row.state],
  ['client_id', (row) => row.client_id],
  ['resource', (row) => row.resource],
  ['op', (row) => row.op],
  ['requested_by', (row) => row.requested_by],
  ['sensitivity', (row) => row.sensitivity],
  ['content_hash', (row) => row.content_hash],
  ['created_at', (row) => row.created_at],
  ['expires_at', (row) => row.expires_at],
];

/** What others ask for and people decide. */
export function ApprovalsScreen({ subject, query }: ScreenProps): ReactNode {
  const { filter, to } = useNavigation();
  const { client, me } = useAdmin();
  const state = (query['state'] ?? 'pending') as Approval['state'];
  const mine = query['for'] ?? (state === 'pending' && me.scopes.includes('approvals:write') ? 'me' : 'all');
  const asked = { state, ...(mine === 'me' ? { for: 'me' as const } : {}) };
  const list = useList('approvals.list', { query: asked });
  const chosen = subject ?? list.rows[0]?.id;
  const one = list.rows.find(({ id }) => id === chosen);
  const [decision, setDecision] = useState<'approve' | 'reject'>();
  const open = one?.state === 'pending' && me.scopes.includes('approvals:write');
  const keys = open ? { k: () => setDecision('approve'), x: () => setDecision('reject') } : {};
  return (
    <Screen
      title="Approvals"
      says={
        <>
          What others ask for. In the list: <kbd>↑</kbd> <kbd>↓</kbd> to move, <kbd>K</kbd> to approve,{' '}
          <kbd>X</kbd> to reject.
        </>
      }
      actions={
        <CsvButton
          name="approvals"
          cells={CELLS}
          rows={() => everyItem(client, 'approvals.list', { query: asked })}
        />
      }
    >
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={state}
          of={wordsOf(APPROVAL_STATE)}
          any="Waits"
          onChange={(value) => filter({ state: value })}
        />
        <Choice
          label="Whose"
          value={mine}
          of={{ me: 'That I may decide', all: 'All' }}
          any="As usual"
          onChange={(value) => filter({ for: value })}
        />
      </form>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count rows={list.rows.length} whole={list.whole} asking={list.asking} noun={['request', 'requests']} />
      {list.whole && list.rows.length === 0 ? (
        <Nothing title={mine === 'me' ? 'Nothing waits for you.' : 'There is nothing of the kind.'}>
          <p>
            What needs approval is said by rules: <code>countersign approval-rules list</code>. Without one,
            nothing waits.
          </p>
        </Nothing>
      ) : list.rows.length === 0 ? null : (
        <Inbox
          label="Requests"
          rows={list.rows}
          keyOf={(row) => row.id}
          chosen={chosen}
          choose={(id) => {
            setDecision(undefined);
            to({ screen: 'approvals', subject: id, query });
          }}
          keys={keys}
          summary={(row) => (
            <>
              <strong>{row.client_id}</strong>
              <span>{row.resource ?? row.subject.kind}</span>
              <span className="quiet">
                by {row.requested_by}, lapses {fromNow(row.expires_at, Date.now())}
              </span>
            </>
          )}
          more={
            list.whole ? null : (
              <button type="button" onClick={list.more}>
                More
              </button>
            )
          }
        >
          {one === undefined ? null : (
            <One key={one.id} approval={one} decision={decision} setDecision={setDecision} />
          )}
        </Inbox>
      )}
      <CommandLine text={command(['approvals', 'list'], asked, ['--all'])} />
    </Screen>
  );
}

interface OneProps {
  readonly approval: Approval;
  readonly decision: 'approve' | 'reject' | undefined;
  readonly setDecision: (decision: 'approve' | 'reject' | undefined) => void;
}

function One({ approval, decision, setDecision }: OneProps): ReactNode {
  const may = useMay('approvals:write');
  return (
    <>
      <h2>
        {approval.op === 'create' ? 'New' : 'Change of'} {approval.subject.kind}:{' '}
        <Link to={{ screen: 'identities', subject: approval.client_id }}>{approval.client_id}</Link>
        {approval.resource === null ? null : <> → {approval.resource}</>}
      </h2>
      <dl className="facts">
        <dt>State</dt>
        <dd>
          <StateMark of={APPROVAL_STATE[approval.state]} /> {approval.reason}
        </dd>
        <dt>Asked by</dt>
        <dd>
          {approval.requested_by}, {minute(approval.created_at)}
        </dd>
        <dt>Sensitivity</dt>
        <dd>{approval.sensitivity} of 3</dd>
        {approval.steps.map(({ rule, step, given, quorum }) => (
          <Step key={`${rule} ${step}`} says={`${rule}, step ${step}: ${given} of ${quorum} approved`} />
        ))}
        {approval.decisions.map(({ person, decision: word, at, comment }) => (
          <Step
            key={`${person} ${at}`}
            says={`${person}: ${word}, ${minute(at)}${comment === null ? '' : `: ${comment}`}`}
          />
        ))}
      </dl>
      <Changes
        before={approval.present}
        after={approval.content}
        fields={approval.present === null ? [] : approval.changes}
      />
      {may && approval.state === 'pending' ? (
        decision === undefined ? (
          <p className="actions">
            <button type="button" className="primary" onClick={() => setDecision('approve')}>
              Approve
            </button>
            <button type="button" onClick={() => setDecision('reject')}>
              Reject
            </button>
          </p>
        ) : (
          <Decide approval={approval} decision={decision} done={() => setDecision(undefined)} />
        )
      ) : null}
    </>
  );
}

function Step({ says }: { says: string }): ReactNode {
  return (
    <>
      <dt>Decided</dt>
      <dd>{says}</dd>
    </>
  );
}

/** Names the hash of what was read: an edit in between makes another, and this decision nothing. */
function Decide({
  approval,
  decision,
  done,
}: {
  approval: Approval;
  decision: 'approve' | 'reject';
  done: () => void;
}): ReactNode {
  const { client } = useAdmin();
  const act = useAct();
  const [comment, setComment] = useState('');
  const needed = decision === 'reject' || approval.sensitivity === 3;
  const decide = async (): Promise<void> => {
    const params = { id: approval.id };
    const said = comment.trim();
    const done_ = await act.run(() =>
      decision === 'approve'
        ? client.call('approvals.approve', {
            params,
            body: { content_hash: approval.content_hash, ...(said === '' ? {} : { comment: said }) },
          })
        : client.call('approvals.reject', {
            params,
            body: { content_hash: approval.content_hash, comment: said },
          }),
    );
    if (done_) done();
  };
  return (
    <form
      className="act"
      onSubmit={(event) => {
        event.preventDefault();
        void decide();
      }}
    >
      <label>
        {needed ? 'Why' : 'Why, if you like'}
        <input
          autoFocus
          required={needed}
          maxLength={1000}
          value={comment}
          onChange={(event) => setComment(event.target.value)}
        />
      </label>
      {act.error === undefined ? null : <Problem error={act.error} />}
      <p className="actions">
        <button className={decision === 'approve' ? 'primary' : 'danger'} disabled={act.busy}>
          {decision === 'approve' ? 'Approve' : 'Reject'}
        </button>
        <button type="button" onClick={done}>
          Not yet
        </button>
      </p>
    </form>
  );
}
