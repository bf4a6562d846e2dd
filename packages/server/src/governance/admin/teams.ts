import type { RuleDeps } from '../../registry/change-rules.ts';
import { changeTeam, createTeam, deleteTeam } from '../../registry/directory/team.ts';
import { type TeamView, teamView } from '../../registry/directory/view.ts';
import type { Storage } from '../../storage/storage.ts';
import type { TeamRecord } from '../../storage/teams.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findTeam, required } from './find-record.ts';

export function teamHandlers(
  deps: RuleDeps & { readonly storage: Pick<Storage, 'teams'> },
): NounHandlers<'teams'> {
  const { storage } = deps;
  return {
    'teams.create': {
      kind: 'write',
      async run({ body }, stores, tell) {
        const { name, members, lead, channel } = body;
        const record = await createTeam(deps, stores, tell, { name, members, lead, channel });
        return { ...resultOf(record), location: `/v1/teams/${record.id}` };
      },
    },

    'teams.list': {
      kind: 'read',
      async run({ query }) {
        const { person, text } = query;
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.teams.list({ person, text }, page), teamView) };
      },
    },

    'teams.get': {
      kind: 'read',
      async run({ params }) {
        const record = required(await findTeam(storage, params.id), 'team');
        const { identities, oneLiving, noneLiving } = await storage.teams.ownership(record.name);
        const { body, version } = resultOf(record);
        const counted = { identities, bus_factor: oneLiving, without_living_owner: noneLiving };
        return { body: { ...body, ...counted }, version };
      },
    },

    'teams.patch': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const record = required(await findTeam(stores, params.id), 'team');
        requireVersion(record.version);
        return resultOf(await changeTeam(deps, stores, tell, record, body));
      },
    },

    'teams.delete': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = required(await findTeam(stores, params.id), 'team');
        requireVersion(record.version);
        return resultOf(await deleteTeam(deps, stores, tell, record));
      },
    },
  };
}

function resultOf(record: TeamRecord): { body: TeamView; version: number } {
  return { body: teamView(record), version: record.version };
}
