import type { Review } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { everyItem, useAdmin, useList } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { type Cells, CsvButton } from '../parts/csv.tsx';
import { Choice } from '../parts/filters.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { REVIEW_STATE, wordsOf } from '../words/states.ts';
import { day } from '../words/time.ts';

const COLUMNS: readonly Column<Review>[] = [
  {
    key: 'name',
    head: 'Campaign',
    width: '40%',
    cell: (row) => <Link to={{ screen: 'reviews', subject: row.id }}>{row.name}</Link>,
  },
  { key: 'state', head: 'State', width: '9rem', cell: (row) => <StateMark of={REVIEW_STATE[row.state]} /> },
  { key: 'items', head: 'Items', width: '6rem', end: true, cell: (row) => row.items.toLocaleString('en') },
  { key: 'reviewers', head: 'Asked', width: '25%', cell: (row) => row.reviewers.join(', ') },
  { key: 'due', head: 'Due', width: '7rem', cell: (row) => day(row.due_at) },
];

const CELLS: Cells<Review> = [
  ['id', (row) => row.id],
  ['name', (row) => row.name],
  ['state', (row) => row.state],
  ['items', (row) => row.items],
  ['due_at', (row) => row.due_at],
  ['on_silence', (row) => row.on_silence],
];

/** Campaigns in which people decide on access. */
export function ReviewsScreen({ query }: ScreenProps): ReactNode {
  const { filter } = useNavigation();
  const { client } = useAdmin();
  const state = query['state'] as Review['state'] | undefined;
  const asked = state === undefined ? {} : { state };
  const list = useList('reviews.list', { query: asked });
  return (
    <Screen
      title="Reviews"
      says="Campaigns in which people say whether access is still needed. What nobody decides on is suspended, never deleted."
      actions={
        <CsvButton
          name="reviews"
          cells={CELLS}
          rows={() => everyItem(client, 'reviews.list', { query: asked })}
        />
      }
    >
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={state ?? ''}
          of={wordsOf(REVIEW_STATE)}
          onChange={(value) => filter({ state: value })}
        />
      </form>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count
        rows={list.rows.length}
        whole={list.whole}
        asking={list.asking}
        noun={['campaign', 'campaigns']}
      />
      {list.whole && list.rows.length === 0 ? (
        <Nothing title={state === undefined ? 'There is no campaign yet.' : 'No campaign is in this state.'}>
          <CommandLine
            label="Plan one:"
            text="countersign reviews create --name 'production, spring' --environments prod --reviewers owner --due-at 30d"
          />
        </Nothing>
      ) : (
        <Table
          label="Campaigns"
          columns={COLUMNS}
          rows={list.rows}
          whole={list.whole}
          onEnd={list.more}
          keyOf={(row) => row.id}
        />
      )}
      <CommandLine text={command(['reviews', 'list'], asked, ['--all'])} />
    </Screen>
  );
}
