import type { RuleDeps } from '../../registry/change-rules.ts';
import { acceptFinding, type FindingView, findingView, reopenFinding } from '../../registry/finding.ts';
import type { FindingRecord } from '../../storage/findings.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { identitiesOf, identityIdOf, required } from './find-record.ts';

export function findingHandlers(
  deps: RuleDeps & { readonly storage: Pick<Storage, 'findings' | 'identities'> },
): NounHandlers<'findings'> {
  const { storage } = deps;
  return {
    'findings.list': {
      kind: 'read',
      async run({ query }) {
        const { identity: who } = query;
        const filter = {
          identityId: await identityIdOf(storage, who),
          subjectId: query.subject,
          kind: query.kind,
          severity: query.severity,
          state: query.state,
        };
        const found = await storage.findings.list(filter, {
          limit: query.limit,
          after: readPosition(query.cursor),
        });
        const identityOf = await identitiesOf(storage, found.items);
        return {
          body: await pageOf(found, (record) => findingView(record, identityOf(record.identityId).clientId)),
        };
      },
    },

    'findings.get': {
      kind: 'read',
      async run({ params }) {
        const { record, identity } = await requireFinding(storage, params.id);
        return resultOf(record, identity);
      },
    },

    'findings.accept': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const { record, identity } = await requireFinding(stores, params.id);
        requireVersion(record.version);
        const asked = { by: admin.actor.identity, reason: body.reason, until: Date.parse(body.until) };
        return resultOf(await acceptFinding(deps, stores, tell, record, identity.clientId, asked), identity);
      },
    },

    'findings.reopen': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const { record, identity } = await requireFinding(stores, params.id);
        requireVersion(record.version);
        return resultOf(
          await reopenFinding(deps, stores, tell, record, identity.clientId, body.reason),
          identity,
        );
      },
    },
  };
}

async function requireFinding(
  stores: Pick<Stores, 'findings' | 'identities'>,
  id: string,
): Promise<{ readonly record: FindingRecord; readonly identity: IdentityRecord }> {
  const record = required(await stores.findings.byId(id), 'finding');
  return { record, identity: required(await stores.identities.byId(record.identityId), 'identity') };
}

function resultOf(
  record: FindingRecord,
  { clientId }: IdentityRecord,
): { body: FindingView; version: number } {
  return { body: findingView(record, clientId), version: record.version };
}
