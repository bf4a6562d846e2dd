import { newId } from '../ids.ts';
import type { Stores } from '../storage/storage.ts';
import type {
  IssuerKeys,
  PeopleSettings,
  TrustedIssuerKind,
  TrustedIssuerRecord,
} from '../storage/trusted-issuers.ts';
import { type RuleDeps, same, type Tell } from './change-rules.ts';
import { type FetchDeps, requireFetchable } from './fetched-url.ts';
import { identitiesWith } from './identities-with.ts';
import { type MayActAsStores, requireMayActAs } from './own-access.ts';
import { type IssuerChanger, requireMayNamePeople, requireOnlyPeopleIssuer } from './people-issuer.ts';
import { RegistryRefusal } from './refusal.ts';
import { ISSUER_KINDS } from './federation-rule.ts';
import { trustedIssuerView } from './trusted-issuer-view.ts';

export interface TrustedIssuerDeps extends RuleDeps, FetchDeps {
  /** Of this authority, which is not trusted in this way: its tokens are exchanged. */
  readonly issuer: string;
}

export interface NewTrustedIssuer {
  readonly issuer: string;
  readonly name: string;
  readonly kind: TrustedIssuerKind;
  readonly keys: IssuerKeys;
  readonly ca: string | undefined;
  readonly algorithms: readonly string[];
  readonly audience: string | undefined;
  /** Undefined: as its kind has it. */
  readonly maxTokenAge: number | undefined;
  readonly singleUse: boolean | undefined;
  /** With kind `people`, and with no other. */
  readonly people: PeopleSettings | undefined;
}

export async function createTrustedIssuer(
  deps: TrustedIssuerDeps,
  stores: Pick<Stores, 'trustedIssuers'>,
  tell: Tell,
  by: IssuerChanger,
  asked: NewTrustedIssuer,
): Promise<TrustedIssuerRecord> {
  const now = deps.clock.now();
  if (asked.issuer === deps.issuer) {
    throw new RegistryRefusal('built_in', 'tokens of this authority itself are exchanged (RFC 8693)', {
      pointer: '/issuer',
    });
  }
  if (asked.kind === 'people') await requireMayNamePeople(stores, by);
  requireKeys(deps, asked);
  const taken = await stores.trustedIssuers.byIssuer(asked.issuer);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `${asked.issuer} is trusted already`, {
      pointer: '/issuer',
      existing: taken.id,
    });
  }
  const kind = ISSUER_KINDS[asked.kind];
  const record: TrustedIssuerRecord = {
    id: newId('tis', deps.random),
    issuer: asked.issuer,
    name: asked.name,
    kind: asked.kind,
    keys: asked.keys,
    ca: asked.ca,
    algorithms: asked.algorithms,
    audience: asked.audience,
    maxTokenAge: asked.maxTokenAge ?? kind.maxTokenAge,
    earlierTokens: undefined,
    singleUse: asked.singleUse ?? kind.singleUse,
    people: asked.people,
    state: 'active',
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await requireOnlyPeopleIssuer(stores, record);
  await stores.trustedIssuers.insert(record);
  tell({ type: 'trusted_issuer.created', resource: record.id, after: trustedIssuerView(record) });
  return record;
}

/** Absent stays. */
export interface TrustedIssuerChange {
  readonly name?: string | undefined;
  readonly keys?: IssuerKeys | undefined;
  /** `null`: the platform's. */
  readonly ca?: string | null | undefined;
  readonly algorithms?: readonly string[] | undefined;
  /** `null`: this authority. */
  readonly audience?: string | null | undefined;
  readonly maxTokenAge?: number | undefined;
  readonly singleUse?: boolean | undefined;
  readonly people?: PeopleSettings | undefined;
  readonly state?: 'active' | 'suspended' | undefined;
}

/**
 * The record with the change made; the same record, and no event, when there is nothing to change. Whoever says which
 * tokens are believed can become every identity that has rules here: it needs what they have.
 */
export async function changeTrustedIssuer(
  deps: TrustedIssuerDeps,
  stores: Pick<Stores, 'trustedIssuers' | 'credentials'> & MayActAsStores,
  tell: Tell,
  by: IssuerChanger,
  record: TrustedIssuerRecord,
  change: TrustedIssuerChange,
): Promise<TrustedIssuerRecord> {
  const changed: TrustedIssuerRecord = {
    ...record,
    name: change.name ?? record.name,
    keys: change.keys ?? record.keys,
    ca: change.ca === undefined ? record.ca : (change.ca ?? undefined),
    algorithms: change.algorithms ?? record.algorithms,
    audience: change.audience === undefined ? record.audience : (change.audience ?? undefined),
    maxTokenAge: change.maxTokenAge ?? record.maxTokenAge,
    earlierTokens: earlierTokens(record, change.maxTokenAge, deps.clock.now()),
    singleUse: change.singleUse ?? record.singleUse,
    people: change.people ?? record.people,
    state: change.state ?? record.state,
  };
  if (same(changed, record)) return record;
  if (change.keys !== undefined) requireKeys(deps, changed);
  if (record.state === 'deleted') {
    throw new RegistryRefusal('illegal_transition', 'a deleted trusted issuer stays deleted');
  }
  const { name, state } = changed;
  if (!same({ ...record, name, state }, changed) || state === 'active') {
    for await (const identityId of identitiesWith(stores, { trustedIssuerId: record.id })) {
      await requireMayActAs(by.ceiling, stores, identityId);
    }
    await requireWhole(stores, by, record, changed);
  }
  return await replace(deps, stores, tell, record, changed, eventOf(record.state, state));
}

/** Seconds: by so much the clock of an issuer may be ahead, and so late may a node hear of a change. */
const UNTIL_ALL_KNOW = 90;

/**
 * Raising the age is for tokens that are issued from then on: one that was used, and whose mark is gone because it had
 * become too old, must not be young again.
 */
function earlierTokens(
  { maxTokenAge, earlierTokens: before }: TrustedIssuerRecord,
  raised: number | undefined,
  nowMs: number,
): TrustedIssuerRecord['earlierTokens'] {
  if (raised === undefined || raised <= maxTokenAge) return before;
  const now = Math.ceil(nowMs / 1000);
  // What was raised a moment ago: of two limits the lower.
  const still = before !== undefined && before.until + raised > now ? before.maxAge : maxTokenAge;
  return { maxAge: Math.min(still, maxTokenAge), until: now + UNTIL_ALL_KNOW };
}

/** The same record, and no event, when it is deleted already. */
export async function deleteTrustedIssuer(
  deps: RuleDeps,
  stores: Pick<Stores, 'trustedIssuers' | 'credentials'>,
  tell: Tell,
  by: IssuerChanger,
  record: TrustedIssuerRecord,
): Promise<TrustedIssuerRecord> {
  if (record.state === 'deleted') return record;
  if (record.kind === 'people') await requireMayNamePeople(stores, by);
  for await (const identityId of identitiesWith(stores, { trustedIssuerId: record.id })) {
    throw new RegistryRefusal('still_in_use', 'identities have federated credentials of it', {
      existing: identityId,
    });
  }
  return await replace(deps, stores, tell, record, { ...record, state: 'deleted' }, 'trusted_issuer.deleted');
}

/** What an issuer of people may become, and by whom. */
async function requireWhole(
  stores: Pick<Stores, 'trustedIssuers'>,
  by: IssuerChanger,
  record: TrustedIssuerRecord,
  changed: TrustedIssuerRecord,
): Promise<void> {
  const isForPeople = record.kind === 'people';
  if (isForPeople !== (changed.people !== undefined)) {
    throw new RegistryRefusal('illegal_transition', 'people sign in through an issuer of kind people alone', {
      pointer: '/people',
    });
  }
  if (!isForPeople) return;
  if (changed.audience !== undefined || !changed.singleUse) {
    throw new RegistryRefusal(
      'illegal_transition',
      'an ID token is for a client of this authority, and is taken once',
      { pointer: changed.singleUse ? '/audience' : '/single_use' },
    );
  }
  if (!same({ ...record, name: changed.name }, changed)) await requireMayNamePeople(stores, by);
  await requireOnlyPeopleIssuer(stores, changed);
}

function requireKeys(deps: FetchDeps, { issuer, keys }: Pick<TrustedIssuerRecord, 'issuer' | 'keys'>): void {
  if (keys.from === 'jwks_uri') requireFetchable(deps, keys.uri, '/jwks_uri');
  else if (keys.from === 'discovery') requireFetchable(deps, issuer, '/issuer');
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'trustedIssuers'>,
  tell: Tell,
  before: TrustedIssuerRecord,
  after: TrustedIssuerRecord,
  type: string,
): Promise<TrustedIssuerRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.trustedIssuers.replace(next);
  tell({ type, resource: before.id, before: trustedIssuerView(before), after: trustedIssuerView(next) });
  return next;
}

function eventOf(before: TrustedIssuerRecord['state'], after: TrustedIssuerRecord['state']): string {
  if (before === after) return 'trusted_issuer.updated';
  return after === 'suspended' ? 'trusted_issuer.suspended' : 'trusted_issuer.resumed';
}
