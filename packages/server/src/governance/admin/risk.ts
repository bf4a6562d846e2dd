import type { ResponseOf } from '@countersign/admin-api';
import type { RuleDeps } from '../../registry/change-rules.ts';
import type { MaximumAge } from '../../registry/credential-age.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Storage } from '../../storage/storage.ts';
import { readRisk, type RiskStores } from '../risk/read-risk.ts';
import { bandOf, type Risk } from '../risk/score.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findIdentity, required } from './find-record.ts';

export interface RiskDeps extends Pick<RuleDeps, 'clock'> {
  readonly storage: RiskStores & Pick<Storage, 'identities' | 'identityRisks'>;
  readonly maximumAge: MaximumAge;
  readonly lifetimes: { readonly default: number };
}

export function riskHandlers(deps: RiskDeps): NounHandlers<'risk'> {
  const { storage } = deps;
  return {
    'risk.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return {
          body: await pageOf(await storage.identityRisks.list(query.min_score, page), async (record) => ({
            identity: record.identityId,
            client_id: (await storage.identities.byId(record.identityId))?.clientId ?? '',
            score: record.score,
            band: bandOf(record.score),
            looked_at: rfc3339(record.at),
          })),
        };
      },
    },

    'risk.get': {
      kind: 'read',
      async run({ params }) {
        const identity = required(await findIdentity(storage, params.id), 'identity');
        const { score, band, rows } = await riskNow(deps, identity);
        const body: ResponseOf<'risk.get'> = {
          identity: identity.id,
          client_id: identity.clientId,
          score,
          band,
          rows: rows.map(({ group, factor, points, full, why, fix }) => ({
            group,
            factor,
            points,
            full,
            why,
            fix: fix ?? null,
          })),
        };
        return { body };
      },
    },
  };
}

/** As answers about the identity itself show it. */
export async function summaryOf(
  deps: RiskDeps,
  identity: IdentityRecord,
): Promise<{ risk: { score: number; band: Risk['band'] } }> {
  const { score, band } = await riskNow(deps, identity);
  return { risk: { score, band } };
}

async function riskNow(deps: RiskDeps, identity: IdentityRecord): Promise<Risk> {
  const given = { maximumAge: deps.maximumAge, tokenLifetime: deps.lifetimes.default };
  return await readRisk(deps.storage, identity, given, deps.clock.now());
}
