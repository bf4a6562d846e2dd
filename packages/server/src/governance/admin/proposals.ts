import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { applyProposal, type RightSizingDeps } from '../../registry/right-sizing/apply.ts';
import { dismissProposal } from '../../registry/right-sizing/proposal.ts';
import { readSizes, type SizeStores } from '../../registry/right-sizing/read-size.ts';
import { rollBack } from '../../registry/right-sizing/rollback.ts';
import { verdictsOf } from '../../registry/right-sizing/verdict.ts';
import { type ProposalView, proposalView, verdictView } from '../../registry/right-sizing/view.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { type Admin, lackOf, missingScopes } from './admin.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findIdentity, identitiesOf, identityIdOf, required } from './find-record.ts';
import { ProblemError } from './problem.ts';

export function proposalHandlers(
  deps: RightSizingDeps &
    AdministratorDeps & { readonly storage: SizeStores & Pick<Storage, 'proposals' | 'identities'> },
): NounHandlers<'proposals'> {
  const { storage } = deps;
  return {
    'proposals.list': {
      kind: 'read',
      async run({ query }) {
        const { identity: who } = query;
        const filter = {
          identityId: await identityIdOf(storage, who),
          subjectId: query.subject,
          kind: query.kind,
          state: query.state,
        };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.proposals.list(filter, page);
        const identityOf = await identitiesOf(storage, found.items);
        return {
          body: await pageOf(found, (record) => proposalView(record, identityOf(record.identityId).clientId)),
        };
      },
    },

    'proposals.get': {
      kind: 'read',
      async run({ params }) {
        const { record, identity } = await requireProposal(storage, params.id);
        return resultOf(record, identity);
      },
    },

    'proposals.assess': {
      kind: 'read',
      async run({ params }) {
        const identity = required(await findIdentity(storage, params.id), 'identity');
        const now = deps.clock.now();
        const [size] = await readSizes(storage, [identity], deps.lifetimes.default, now);
        const verdicts = size === undefined ? [] : verdictsOf(size, now);
        return { body: { items: verdicts.map(verdictView) } };
      },
    },

    'proposals.apply': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const about = await requireProposal(stores, params.id);
        requireVersion(about.record.version);
        requireMayChange(admin, about.record);
        const asked = { by: admin.actor, reason: body.reason };
        const next = await keepAdministered(deps, stores, about.identity.id, () =>
          applyProposal(deps, stores, tell, about, asked),
        );
        return resultOf(next, about.identity);
      },
    },

    'proposals.dismiss': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const { record, identity } = await requireProposal(stores, params.id);
        requireVersion(record.version);
        const asked = { by: admin.actor.identity, reason: body.reason, until: Date.parse(body.until) };
        return resultOf(
          await dismissProposal(deps, stores, tell, record, identity.clientId, asked),
          identity,
        );
      },
    },

    'proposals.rollback': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const about = await requireProposal(stores, params.id);
        requireVersion(about.record.version);
        requireMayChange(admin, about.record);
        await requireOwnScopes(admin, stores, about.record);
        const asked = { by: admin.actor, reason: body.reason };
        const next = await keepAdministered(deps, stores, about.identity.id, () =>
          rollBack(deps, stores, tell, about, asked),
        );
        return resultOf(next, about.identity);
      },
    },
  };
}

const NEEDED = {
  access: 'access:write',
  credential: 'credentials:write',
  identity: 'identities:write',
} as const;

/** Whoever carries it out must be allowed to do it without a proposal, too. */
function requireMayChange(admin: Admin, { subject }: ProposalRecord): void {
  const missing = missingScopes(admin, [NEEDED[subject]]);
  if (missing.length > 0) throw new ProblemError('insufficient_scope', { detail: lackOf(admin, missing) });
}

/** Of the admin API nobody gives back what they do not hold themselves. */
async function requireOwnScopes(
  admin: Admin,
  { resourceServers }: Pick<Stores, 'resourceServers'>,
  { applied }: ProposalRecord,
): Promise<void> {
  const { resourceServerId, scopes } = applied?.undo ?? {};
  if (resourceServerId === undefined || scopes === undefined) return;
  const resourceServer = await resourceServers.byId(resourceServerId);
  if (resourceServer?.builtIn === true) requireWithin(admin.unlimited, scopes);
}

async function requireProposal(
  stores: Pick<Stores, 'proposals' | 'identities'>,
  id: string,
): Promise<{ readonly record: ProposalRecord; readonly identity: IdentityRecord }> {
  const record = required(await stores.proposals.byId(id), 'proposal');
  return { record, identity: required(await stores.identities.byId(record.identityId), 'identity') };
}

function resultOf(
  record: ProposalRecord,
  { clientId }: IdentityRecord,
): { body: ProposalView; version: number } {
  return { body: proposalView(record, clientId), version: record.version };
}
