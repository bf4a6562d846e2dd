import type { Access, AdminClient } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { everyItem, useAdmin, useAnswer, useList } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { CsvButton } from '../parts/csv.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Choice, TextFilter } from '../parts/filters.tsx';
import { Legend } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Count, Screen } from '../parts/screen.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { Query } from '../routing/place.ts';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { ACCESS_STATE, ENVIRONMENT, wordsOf } from '../words/states.ts';
import { ACCESS_CELLS, AccessList } from './access-list.tsx';
import { AccessMatrix, type MatrixRow } from './access-matrix.tsx';
import { byHolder } from './access-facts.ts';
import { PathsPanel } from './paths-panel.tsx';

/** Filters of machines: the rows are theirs. */
const OF_IDENTITIES = ['text', 'environment', 'owner_team'] as const;
/** Filters of access: the rows are of who has such. */
const OF_ACCESS = ['identity', 'resource_server', 'scope', 'state', 'used_within', 'unused_for'] as const;
/** Columns of the matrix at most. */
const MOST_COLUMNS = 30;

/** Who can reach what, and whether it is used. */
export function AccessScreen({ query }: ScreenProps): ReactNode {
  const { filter, address } = useNavigation();
  const { client } = useAdmin();
  const asOf = query['as_of'];
  const then = asOf === undefined ? {} : { as_of: asOf };
  const ofIdentities = picked(query, OF_IDENTITIES);
  const ofAccess = picked(query, OF_ACCESS);
  const listed = query['view'] === 'list' || Object.keys(ofAccess).length > 0;
  const identities = useList('identities.list', { query: ofIdentities }, !listed);
  const access = useList('access.list', { query: { ...ofAccess, ...then } }, listed);
  const shown = listed ? access : identities;
  const set = (name: string) => (value: string | undefined) => filter({ [name]: value });
  const all = (): Promise<readonly Access[]> =>
    listed || Object.keys(ofIdentities).length === 0
      ? everyItem(client, 'access.list', { query: { ...ofAccess, ...then } })
      : accessOfEach(client, ofIdentities, then);
  const rows: readonly MatrixRow[] = listed
    ? byHolder(access.rows)
    : identities.rows.map((each) => ({ clientId: each.client_id, name: each.name, access: undefined }));
  const path = query['path'];
  const to = (view: string | undefined): { screen: string; query: Query } => {
    const { view: _, ...rest } = query;
    return { screen: 'access', query: view === undefined ? rest : { ...rest, view } };
  };
  return (
    <Screen
      title="Access"
      says="Who can reach what, and whether it is used. A mark opens the paths of one machine; each path says why it is there."
      actions={
        <>
          <Link to={to(undefined)} aria-current={query['view'] === undefined ? 'true' : undefined}>
            Matrix
          </Link>
          <Link to={to('list')} aria-current={query['view'] === 'list' ? 'true' : undefined}>
            List
          </Link>
          <CsvButton name="access" cells={ACCESS_CELLS} rows={all} />
        </>
      }
    >
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <TextFilter
          label="Machine"
          value={query['text'] ?? ''}
          placeholder="part of its name"
          onChange={set('text')}
        />
        <TextFilter
          label="Team"
          value={query['owner_team'] ?? ''}
          placeholder="exactly"
          onChange={set('owner_team')}
        />
        <Choice
          label="Where"
          value={query['environment'] ?? ''}
          of={ENVIRONMENT}
          onChange={set('environment')}
        />
        <TextFilter
          label="API"
          value={query['resource_server'] ?? ''}
          placeholder="its identifier"
          onChange={set('resource_server')}
        />
        <TextFilter
          label="Scope"
          value={query['scope'] ?? ''}
          placeholder="exactly"
          onChange={set('scope')}
        />
        <Choice
          label="State"
          value={query['state'] ?? ''}
          of={{ ...wordsOf(ACCESS_STATE), expiring: 'Ends soon' }}
          onChange={set('state')}
        />
        <Choice
          label="Use"
          value={query['unused_for'] ?? ''}
          of={{ '30d': 'Unused for 30 days', '90d': 'Unused for 90 days' }}
          onChange={set('unused_for')}
        />
        <TextFilter
          label="As of (UTC)"
          type="datetime-local"
          value={asOf?.slice(0, 16) ?? ''}
          onChange={(value) => filter({ as_of: value === undefined ? undefined : `${value}:00Z` })}
        />
      </form>
      {shown.error === undefined ? null : <Problem error={shown.error} again={shown.more} />}
      <Legend />
      {asOf === undefined ? null : (
        <p role="status">
          This is how it was at {asOf.replace('T', ' ').slice(0, 16)} UTC.{' '}
          <a href={address({ screen: 'access' })}>Back to now</a>
        </p>
      )}
      <Count
        rows={listed ? access.rows.length : identities.rows.length}
        whole={shown.whole}
        asking={shown.asking}
        noun={listed ? ['access', 'accesses'] : ['machine', 'machines']}
      />
      {shown.whole && rows.length === 0 && (query['view'] !== 'list' || access.rows.length === 0) ? (
        <NoAccess filtered={Object.keys({ ...ofIdentities, ...ofAccess }).length > 0} />
      ) : query['view'] === 'list' ? (
        <AccessList list={access} />
      ) : (
        <Matrix
          rows={rows}
          whole={shown.whole}
          onEnd={shown.more}
          asOf={asOf}
          only={ofAccess['resource_server']}
        />
      )}
      <CommandLine text={sameAsCommand(ofIdentities, { ...ofAccess, ...then })} />
      {path === undefined ? null : (
        <Dialog title={`What ${path} reaches`} onClose={() => filter({ path: undefined })}>
          <PathsPanel identity={path} at={asOf} />
        </Dialog>
      )}
    </Screen>
  );
}

interface MatrixOf {
  readonly rows: readonly MatrixRow[];
  readonly whole: boolean;
  readonly onEnd: () => void;
  readonly asOf: string | undefined;
  readonly only: string | undefined;
}

function Matrix({ only, ...of }: MatrixOf): ReactNode {
  const apis = useAnswer('resource-servers.list', { query: { limit: 200 } });
  const known = (apis.data?.items ?? []).filter(({ state }) => state === 'active');
  const wanted =
    only === undefined ? known : known.filter(({ id, identifier }) => id === only || identifier === only);
  const columns = wanted.slice(0, MOST_COLUMNS);
  if (apis.data === undefined)
    return apis.error === undefined ? null : <Problem error={apis.error} again={apis.again} />;
  return (
    <>
      <AccessMatrix {...of} columns={columns} />
      {wanted.length > columns.length ? (
        <p className="quiet">
          {columns.length} of {wanted.length} APIs have a column; name another one above, or see the list.
        </p>
      ) : null}
    </>
  );
}

function NoAccess({ filtered }: { filtered: boolean }): ReactNode {
  const { filter } = useNavigation();
  return (
    <Nothing title={filtered ? 'Nobody has access like this.' : 'Nobody has access to anything yet.'}>
      {filtered ? (
        <button
          type="button"
          onClick={() =>
            filter(Object.fromEntries([...OF_IDENTITIES, ...OF_ACCESS].map((name) => [name, undefined])))
          }
        >
          Show all
        </button>
      ) : (
        <CommandLine
          label="Give some:"
          text="countersign access create --identity payments --resource-server https://fraud.example --scopes fraud:read --justification 'scores payments' --for 90d"
        />
      )}
    </Nothing>
  );
}

function picked(query: Query, names: readonly string[]): Query {
  return Object.fromEntries(names.flatMap((name) => (query[name] ? [[name, query[name]]] : [])));
}

async function accessOfEach(
  client: AdminClient,
  ofIdentities: Query,
  then: Query,
): Promise<readonly Access[]> {
  const found: Access[] = [];
  for (const { id } of await everyItem(client, 'identities.list', { query: ofIdentities })) {
    found.push(...(await everyItem(client, 'access.list', { query: { identity: id, ...then } })));
  }
  return found;
}

function sameAsCommand(ofIdentities: Query, ofAccess: Query): string {
  if (Object.keys(ofIdentities).length === 0) return command(['access', 'list'], ofAccess, ['--all']);
  const each = command(['access', 'list'], ofAccess, ['--all', '--identity']);
  return `${command(['identities', 'list'], ofIdentities, ['--all', '-o', 'name'])} | xargs -n 1 ${each}`;
}
