import type { Identity, IdentityState } from '@countersign/admin-api';
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
import { ENVIRONMENT, IDENTITY_KIND, IDENTITY_STATE } from '../words/states.ts';
import { day } from '../words/time.ts';

const COLUMNS: readonly Column<Identity>[] = [
  {
    key: 'client_id',
    head: 'Client ID',
    width: '22%',
    cell: (row) => <Link to={{ screen: 'identities', subject: row.client_id }}>{row.client_id}</Link>,
  },
  { key: 'name', head: 'Name', width: '20%', cell: (row) => row.name },
  { key: 'state', head: 'State', width: '14%', cell: (row) => <StateMark of={IDENTITY_STATE[row.state]} /> },
  { key: 'kind', head: 'Kind', width: '8%', cell: (row) => IDENTITY_KIND[row.kind] },
  { key: 'environment', head: 'Where', width: '7%', cell: (row) => row.environment },
  { key: 'owner', head: 'Owner', width: '15%', cell: (row) => row.owner.person },
  { key: 'team', head: 'Team', width: '8%', cell: (row) => row.owner.team ?? '–' },
  { key: 'expires', head: 'Ends', width: '6.5rem', cell: (row) => day(row.expires_at) },
];

const CELLS: Cells<Identity> = [
  ['id', (row) => row.id],
  ['client_id', (row) => row.client_id],
  ['name', (row) => row.name],
  ['state', (row) => row.state],
  ['kind', (row) => row.kind],
  ['environment', (row) => row.environment],
  ['owner', (row) => row.owner.person],
  ['backup', (row) => row.owner.backup],
  ['team', (row) => row.owner.team],
  ['purpose', (row) => row.purpose],
  ['expires_at', (row) => row.expires_at],
];

const FILTERS = ['text', 'state', 'kind', 'environment', 'owner_person', 'owner_team'] as const;

/** Every machine, and who answers for it. */
export function IdentitiesScreen({ query }: ScreenProps): ReactNode {
  const { filter } = useNavigation();
  const { client } = useAdmin();
  const asked = Object.fromEntries(FILTERS.flatMap((name) => (query[name] ? [[name, query[name]]] : [])));
  const list = useList('identities.list', { query: asked });
  const set = (name: string) => (value: string | undefined) => filter({ [name]: value });
  return (
    <Screen
      title="Identities"
      says="Every machine that has an identity here, and who answers for it."
      actions={
        <CsvButton
          name="identities"
          cells={CELLS}
          rows={() => everyItem(client, 'identities.list', { query: asked })}
        />
      }
    >
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <TextFilter label="Name or client ID" value={query['text'] ?? ''} onChange={set('text')} />
        <Choice
          label="State"
          value={query['state'] ?? ''}
          of={words(IDENTITY_STATE)}
          onChange={set('state')}
        />
        <Choice label="Kind" value={query['kind'] ?? ''} of={IDENTITY_KIND} onChange={set('kind')} />
        <Choice
          label="Where"
          value={query['environment'] ?? ''}
          of={ENVIRONMENT}
          onChange={set('environment')}
        />
        <TextFilter
          label="Owner"
          value={query['owner_person'] ?? ''}
          placeholder="exactly"
          onChange={set('owner_person')}
        />
        <TextFilter
          label="Team"
          value={query['owner_team'] ?? ''}
          placeholder="exactly"
          onChange={set('owner_team')}
        />
      </form>
      {list.error === undefined ? null : <Problem error={list.error} again={list.more} />}
      <Count rows={list.rows.length} whole={list.whole} asking={list.asking} noun="identities" />
      {list.rows.length === 0 && list.whole ? (
        <NoIdentities filtered={Object.keys(asked).length > 0} />
      ) : (
        <Table
          label="Identities"
          columns={COLUMNS}
          rows={list.rows}
          whole={list.whole}
          onEnd={list.more}
          keyOf={(row) => row.id}
        />
      )}
      <CommandLine text={command(['identities', 'list'], asked, ['--all'])} />
    </Screen>
  );
}

function NoIdentities({ filtered }: { filtered: boolean }): ReactNode {
  const { filter } = useNavigation();
  if (filtered) {
    return (
      <Nothing title="No identity is like this.">
        <button
          type="button"
          onClick={() => filter(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}
        >
          Show all
        </button>
      </Nothing>
    );
  }
  return (
    <Nothing title="There is no identity yet.">
      <p>Make one, with its credential and its access, in one step:</p>
      <CommandLine
        label=""
        text="countersign connect payments --to fraud --scopes fraud:read --owner you@example.com --for 90d"
      />
    </Nothing>
  );
}

function words(
  of: Readonly<Record<IdentityState, { readonly word: string }>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(of).map(([state, { word }]) => [state, word]));
}
