import { changePerson, createPerson, deletePerson } from '../../registry/directory/person.ts';
import { type PersonView, personView } from '../../registry/directory/view.ts';
import type { Changes } from '../../audit/change.ts';
import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import { settleStatus } from '../../registry/owner/departure.ts';
import type { PersonRecord } from '../../storage/people.ts';
import type { Storage } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findPerson, required } from './find-record.ts';
import { handOverHandler } from './hand-over.ts';
import { peopleImportHandler } from './people-import.ts';

export function peopleHandlers(
  deps: OwnerDeps & { readonly storage: Storage; readonly changes: Changes },
): NounHandlers<'people'> {
  const { storage } = deps;
  return {
    'people.create': {
      kind: 'write',
      async run({ body }, stores, tell) {
        const record = await createPerson(deps, stores, tell, {
          handle: body.handle,
          name: body.name,
          email: body.email,
          externalId: body.external_id,
          status: body.status,
          managerHandle: body.manager,
        });
        await settleStatus(deps, stores, tell, undefined, record);
        return { ...resultOf(record), location: `/v1/people/${record.id}` };
      },
    },

    'people.list': {
      kind: 'read',
      async run({ query }) {
        const { status, manager, text } = query;
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.people.list({ status, manager, text }, page), personView) };
      },
    },

    'people.get': {
      kind: 'read',
      async run({ params, query }) {
        const record = required(await findPerson(storage, params.id), 'person');
        if (query.as_of === undefined) return resultOf(record);
        const then = await storage.people.asOf(record.id, Date.parse(query.as_of));
        return { body: personView(required(then, 'person at that time')) };
      },
    },

    'people.patch': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const record = required(await findPerson(stores, params.id), 'person');
        requireVersion(record.version);
        const next = await changePerson(deps, stores, tell, record, {
          name: body.name,
          email: body.email,
          externalId: body.external_id,
          status: body.status,
          managerHandle: body.manager,
        });
        await settleStatus(deps, stores, tell, record, next);
        return resultOf(next);
      },
    },

    'people.hand-over': handOverHandler(deps),
    'people.import': peopleImportHandler(deps),

    'people.delete': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = required(await findPerson(stores, params.id), 'person');
        requireVersion(record.version);
        return resultOf(await deletePerson(deps, stores, tell, record));
      },
    },
  };
}

function resultOf(record: PersonRecord): { body: PersonView; version: number } {
  return { body: personView(record), version: record.version };
}
