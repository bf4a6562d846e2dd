import type { ReviewItem } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { everyItem, useAdmin, useAnswer, useList } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { type Cells, CsvButton } from '../parts/csv.tsx';
import { Choice } from '../parts/filters.tsx';
import { Inbox } from '../parts/inbox.tsx';
import { UseMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { REVIEW_ITEM_STATE, wordsOf } from '../words/states.ts';
import { day, fromNow } from '../words/time.ts';
import { type Decision, ReviewItemOne } from './review-item.tsx';

const CELLS: Cells<ReviewItem> = [
  ['id', (row) => row.id],
  ['client_id', (row) => row.client_id],
  ['resource', (row) => row.resource],
  ['scopes', (row) => row.scopes.join(' ')],
  ['owner', (row) => row.owner],
  ['reviewer', (row) => row.reviewer],
  ['state', (row) => row.state],
  ['decided_by', (row) => row.decided_by],
  ['comment', (row) => row.comment],
  ['use', (row) => row.usage?.state ?? ''],
];

/** One campaign as an inbox: keep, reduce or revoke. */
export function ReviewScreen({ subject = '', query }: ScreenProps): ReactNode {
  const { filter } = useNavigation();
  const { client, me } = useAdmin();
  const params = { id: subject };
  const review = useAnswer('reviews.get', { params });
  const state = (query['state'] ?? 'pending') as ReviewItem['state'];
  const decides = me.scopes.includes('reviews:decide');
  const mine = query['for'] ?? (state === 'pending' && decides ? 'me' : 'all');
  const asked = { state, ...(mine === 'me' ? { for: 'me' as const } : {}) };
  const list = useList('reviews.items', { params, query: asked });
  const [picked, setPicked] = useState<string>();
  const [decision, setDecision] = useState<Decision>();
  const at = Math.max(
    0,
    list.rows.findIndex(({ id }) => id === picked),
  );
  const one = list.rows[at];
  const progress = review.data?.progress;
  const total = review.data?.items ?? 0;
  const open = one?.state === 'pending' && decides;
  const keys = open
    ? { k: () => setDecision('keep'), r: () => setDecision('reduce'), x: () => setDecision('revoke') }
    : {};
  return (
    <Screen
      title={review.data?.name ?? 'Review'}
      says={
        <>
          {review.data === undefined ? null : (
            <>
              Due {fromNow(review.data.due_at, Date.now())} ({day(review.data.due_at)}).{' '}
            </>
          )}
          In the list: <kbd>↑</kbd> <kbd>↓</kbd> to move, <kbd>K</kbd> keep, <kbd>R</kbd> reduce, <kbd>X</kbd>{' '}
          revoke.
        </>
      }
      actions={
        <CsvButton
          name={`review-${subject}`}
          cells={CELLS}
          rows={() => everyItem(client, 'reviews.items', { params, query: asked })}
        />
      }
    >
      {review.error === undefined ? null : <Problem error={review.error} again={review.again} />}
      {progress === undefined ? null : (
        <p className="progress">
          <progress max={Math.max(1, total)} value={total - progress.pending} aria-label="Decided" />{' '}
          {total - progress.pending} of {total} decided: {progress.kept} kept, {progress.reduced} reduced,{' '}
          {progress.revoked} revoked
        </p>
      )}
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={state}
          of={wordsOf(REVIEW_ITEM_STATE)}
          any="Undecided"
          onChange={(value) => filter({ state: value })}
        />
        <Choice
          label="Whose"
          value={mine}
          of={{ me: 'That I am asked', all: 'All' }}
          any="As usual"
          onChange={(value) => filter({ for: value })}
        />
      </form>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count rows={list.rows.length} whole={list.whole} asking={list.asking} noun={['item', 'items']} />
      {list.whole && list.rows.length === 0 ? (
        <Nothing
          title={
            mine === 'me' && state === 'pending'
              ? 'You have decided on everything.'
              : 'There is no such item.'
          }
        />
      ) : list.rows.length === 0 ? null : (
        <Inbox
          label="Items"
          rows={list.rows}
          keyOf={(row) => row.id}
          chosen={one?.id}
          choose={(id) => {
            setDecision(undefined);
            setPicked(id);
          }}
          keys={keys}
          summary={(row) => (
            <>
              <strong>{row.client_id}</strong>
              <span>{row.resource}</span>
              {row.usage === null ? null : <UseMark of={row.usage.state} />}
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
            <ReviewItemOne
              key={one.id}
              item={one}
              decision={decision}
              setDecision={setDecision}
              decided={() => setPicked(list.rows[at + 1]?.id)}
            />
          )}
        </Inbox>
      )}
      <CommandLine text={command(['reviews', 'items', subject], asked, ['--all'])} />
    </Screen>
  );
}
