import type { Person } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { everyItem, useAdmin, useList } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { type Cells, CsvButton } from '../parts/csv.tsx';
import { Choice, TextFilter } from '../parts/filters.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { PERSON_STATUS, wordsOf } from '../words/states.ts';

const COLUMNS: readonly Column<Person>[] = [
  {
    key: 'handle',
    head: 'Person',
    width: '28%',
    cell: (row) => (
      <Link to={{ screen: 'identities', query: { owner_person: row.handle } }}>{row.handle}</Link>
    ),
  },
  { key: 'name', head: 'Name', width: '28%', cell: (row) => row.name },
  {
    key: 'status',
    head: 'Status',
    width: '9rem',
    cell: (row) => <StateMark of={PERSON_STATUS[row.status]} />,
  },
  { key: 'manager', head: 'Reports to', width: '24%', cell: (row) => row.manager ?? '–' },
];

const CELLS: Cells<Person> = [
  ['handle', (row) => row.handle],
  ['name', (row) => row.name],
  ['email', (row) => row.email],
  ['status', (row) => row.status],
  ['manager', (row) => row.manager],
];

/** Who answers for machines. */
export function OwnersScreen({ query }: ScreenProps): ReactNode {
  const { filter } = useNavigation();
  const { client } = useAdmin();
  const asked = {
    ...(query['text'] ? { text: query['text'] } : {}),
    ...(query['status'] ? { status: query['status'] as Person['status'] } : {}),
  };
  const list = useList('people.list', { query: asked });
  return (
    <Screen
      title="Owners"
      says="People who answer for machines. A name leads to their machines; who has left needs somebody to take over."
      actions={
        <CsvButton
          name="people"
          cells={CELLS}
          rows={() => everyItem(client, 'people.list', { query: asked })}
        />
      }
    >
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <TextFilter
          label="Name or handle"
          value={query['text'] ?? ''}
          onChange={(value) => filter({ text: value })}
        />
        <Choice
          label="Status"
          value={query['status'] ?? ''}
          of={wordsOf(PERSON_STATUS)}
          onChange={(value) => filter({ status: value })}
        />
      </form>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count rows={list.rows.length} whole={list.whole} asking={list.asking} noun={['person', 'people']} />
      {list.whole && list.rows.length === 0 ? (
        <Nothing title="The directory has nobody like this.">
          <p>
            Owners may be named without a directory; with one, the authority knows who has left. Bring yours:{' '}
            <code>countersign people import people.csv</code>
          </p>
        </Nothing>
      ) : (
        <Table
          label="People"
          columns={COLUMNS}
          rows={list.rows}
          whole={list.whole}
          onEnd={list.more}
          keyOf={(row) => row.id}
        />
      )}
      <CommandLine text={command(['people', 'list'], asked, ['--all'])} />
    </Screen>
  );
}
