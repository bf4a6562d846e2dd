import type { BodyOf } from '@countersign/admin-api';
import type { Actor } from '../../audit/change.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import type { AccessFacts } from '../../registry/facts.ts';
import { readFactsOf } from '../../registry/facts-cache.ts';
import { STANDING_SCOPES, standsFor, unmetStanding } from '../../registry/stands-for.ts';
import { takeReport, type UsageRow } from '../../registry/use/take-report.ts';
import type { UnregisteredRow } from '../../registry/use/unregistered.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Admin } from './admin.ts';
import type { NounHandlers } from './endpoint.ts';
import { ProblemError } from './problem.ts';

export function usageHandlers(deps: RuleDeps & { readonly issuer: string }): NounHandlers<'usage'> {
  return {
    'usage.report': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const now = deps.clock.now();
        const { access, resourceServer } = await requireReporter(stores, admin, body.resource_server, now);
        const counted = await takeReport(now, stores, tell, {
          resourceServer,
          reporterId: access.identityId,
          instance: body.instance,
          boot: body.boot,
          seq: body.seq,
          from: Date.parse(body.from),
          to: Date.parse(body.to),
          more: body.more === true,
          blind: (body.uncounted?.ok ?? 0) > 0,
          final: body.final === true,
          // No resource server sees this use of itself.
          rows: [...rowsOf(body), reporting(access.id, admin.actor)],
          others: othersOf(body, deps.issuer),
          routes: body.routes ?? [],
        });
        return { body: { counted } };
      },
    },
  };
}

/** docs/decisions/0023-what-is-used.md. Whether the resource server exists is nobody's business who may not report for it. */
async function requireReporter(
  stores: Pick<Stores, 'identities' | 'credentials' | 'access' | 'resourceServers'>,
  { actor, boundTo }: Admin,
  ref: string,
  now: number,
): Promise<AccessFacts> {
  const identity = await stores.identities.byClientId(actor.identity);
  const facts = identity && (await readFactsOf(stores, identity));
  const credential = facts?.credentials.find(({ id }) => id === actor.credential);
  const held = facts?.access.find(
    ({ resourceServer: { id, identifier } }) => id === ref || identifier === ref,
  );
  if (facts !== undefined && credential !== undefined && held !== undefined) {
    const audience = [held.resourceServer.identifier];
    const call = { source: actor.source, boundTo, now };
    if (standsFor({ facts, credential }, audience, 'report', call)) return held;
    const unmet = unmetStanding({ facts, credential }, audience, 'report', call);
    if (unmet !== undefined)
      throw new ProblemError('insufficient_scope', {
        detail: `${STANDING_SCOPES.report} is held here under a condition that does not hold: ${unmet.reason}`,
      });
  }
  throw new ProblemError('insufficient_scope', {
    detail: `this needs ${STANDING_SCOPES.report} of the resource server that is told of`,
  });
}

function rowsOf({ rows }: BodyOf<'usage.report'>): readonly UsageRow[] {
  return rows.flatMap((row) =>
    'access' in row
      ? [
          {
            accessId: row.access,
            credentialId: row.credential,
            scope: row.scope ?? undefined,
            ok: row.ok,
            denied: row.denied,
            age: row.age,
          },
        ]
      : [],
  );
}

/** A token of ours says its credential; one that does not is no better known than one of another issuer. */
function othersOf({ rows }: BodyOf<'usage.report'>, own: string): readonly UnregisteredRow[] {
  return rows.flatMap((row) =>
    'issuer' in row
      ? [
          {
            issuer: row.issuer === own ? '' : row.issuer,
            caller: row.client_id,
            ok: row.ok,
            denied: row.denied,
          },
        ]
      : [],
  );
}

function reporting(accessId: string, { credential = '' }: Actor): UsageRow {
  return { accessId, credentialId: credential, scope: STANDING_SCOPES.report, ok: 1, denied: 0 };
}
