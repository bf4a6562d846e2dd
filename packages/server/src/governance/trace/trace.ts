import type { Clock } from '../../clock.ts';
import { type DecisionView, decisionView } from '../../registry/approval/view.ts';
import { type TokenUseView, useInLifeOf } from '../../registry/use/token-use.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import { OPAQUE_TOKEN_ALGORITHM } from '../../storage/signing-keys.ts';
import type { Stores } from '../../storage/storage.ts';
import { cutoffsOfToken } from './cut-offs-of-token.ts';
import { rowOfChange, rowOfCutoff, rowOfToken, type TraceRow } from './event-words.ts';
import { exchangeChain } from './exchange-chain.ts';
import { eventsOfToken, type IssuedToken, issuedAmong, type TraceLog } from './issued-token.ts';
import { type Behind, historyBehind } from './record-history.ts';

export interface TraceDeps {
  readonly log: TraceLog;
  readonly storage: Pick<
    Stores,
    | 'access'
    | 'approvals'
    | 'coverage'
    | 'credentials'
    | 'cutoffs'
    | 'identities'
    | 'resourceServers'
    | 'signingKeys'
    | 'usage'
    | 'usageReporters'
  >;
  readonly clock: Clock;
}

export interface TracedToken {
  jti: string;
  issued_at: string;
  expires_at: string | null;
  identity: string | null;
  subject: string | null;
  credential: string | null;
  access: string | null;
  resource_server: string | null;
  scopes: string[];
  scopes_asked: string[];
  method: string | null;
  source: string | null;
  instance: string | null;
  parent: string | null;
}

export interface TokenTrace {
  token: TracedToken;
  /** By an order, at the earliest. */
  cut_off_at: string | null;
  before: TracedToken[];
  after: TracedToken[];
  identity: {
    id: string;
    client_id: string;
    state: string;
    owner: { person: string; backup: string | null; team: string | null };
    expires_at: string;
    version: number;
  } | null;
  access: {
    id: string;
    version: number;
    state: string;
    scopes: string[];
    justification: string;
    requested_by: string;
    approved_by: string | null;
    approved_at: string | null;
    approvals: DecisionView[];
    expires_at: string;
  } | null;
  credential: {
    id: string;
    type: string;
    label: string;
    made_by: string | null;
    created_at: string;
    state_now: string;
  } | null;
  use: TokenUseView | null;
  rows: TraceRow[];
  complete: boolean;
  notes: string[];
}

const MOST_ROWS = 300;

/**
 * What happened with a token: who asked for its access and who approved, which credential and whose it is, the exchanges it
 * stands in, what was told of its use, and what ended it. Undefined: no such token was issued, as far as the log goes back.
 * Bounded looks by index, however many tokens and events there are.
 */
export async function traceToken(deps: TraceDeps, jti: string): Promise<TokenTrace | undefined> {
  const events = await eventsOfToken(deps.log, jti);
  const token = issuedAmong(events);
  if (token === undefined) return undefined;
  const behind = await recordsBehind(deps, token);
  const chain = await exchangeChain(deps.log, token);
  const histories = await Promise.all(
    spansOf(behind).map((each) => historyBehind(deps.log, each, token.issuedAt, token.endsBy)),
  );
  const hits = await cutoffsOfToken(deps, token, chain.before, events, algorithmOf(behind.resourceServer));
  const use = await useOf(deps, token, behind);
  const changes = histories.flatMap((each) => each.events);
  const rows = [
    ...changes.map(rowOfChange),
    ...[...chain.before, token, ...chain.after].map(rowOfToken),
    ...hits.map(rowOfCutoff),
    ...rowsOfUse(use, token),
  ].toSorted(inOrder);
  const made = changes.find(
    ({ type, resource }) => type === 'credential.created' && resource === behind.credential?.id,
  );
  return {
    token: tokenView(token),
    cut_off_at: hits[0] === undefined ? null : rfc3339(hits[0].at),
    before: chain.before.map(tokenView),
    after: chain.after.map(tokenView),
    identity: behind.identity === undefined ? null : identityThen(behind.identity),
    access: behind.access === undefined ? null : await accessThen(deps, behind.access),
    credential: behind.credential === undefined ? null : credentialOf(behind.credential, made?.identity),
    use,
    rows: rows.slice(0, MOST_ROWS),
    complete: chain.complete && histories.every(({ complete }) => complete) && rows.length <= MOST_ROWS,
    notes: notesOf(token),
  };
}

/** The records as they were then; of a credential and a resource server only what never changes is told. */
interface RecordsBehind {
  readonly identity: IdentityRecord | undefined;
  readonly access: AccessRecord | undefined;
  readonly credential: CredentialRecord | undefined;
  readonly resourceServer: ResourceServerRecord | undefined;
}

async function recordsBehind(
  { storage }: TraceDeps,
  { event, issuedAt }: IssuedToken,
): Promise<RecordsBehind> {
  const now = event.identity === undefined ? undefined : await storage.identities.byClientId(event.identity);
  const [identity, access, credential, resourceServer] = await Promise.all([
    now && storage.identities.asOf(now.id, issuedAt),
    event.access === undefined ? undefined : storage.access.asOf(event.access, issuedAt),
    event.credential === undefined ? undefined : storage.credentials.byId(event.credential),
    event.resource === undefined ? undefined : storage.resourceServers.byIdentifier(event.resource),
  ]);
  return { identity, access, credential, resourceServer };
}

function spansOf({ identity, access, credential }: RecordsBehind): readonly Behind[] {
  return [identity, access, credential]
    .filter((record) => record !== undefined)
    .map(({ id, createdAt, updatedAt }) => ({ id, createdAt, inForceSince: updatedAt }));
}

function algorithmOf(server: ResourceServerRecord | undefined) {
  if (server === undefined) return undefined;
  return server.token.format === 'opaque' ? OPAQUE_TOKEN_ALGORITHM : server.token.signingAlg;
}

async function useOf(
  { storage, clock }: TraceDeps,
  { event, scopes, issuedAt, endsBy }: IssuedToken,
  { access }: RecordsBehind,
): Promise<TokenUseView | null> {
  if (access === undefined || event.credential === undefined) return null;
  const counted = {
    accessId: access.id,
    credentialId: event.credential,
    resourceServerId: access.resourceServerId,
    scopes,
    issuedAt,
    expiresAt: endsBy,
  };
  return await useInLifeOf(storage, counted, clock.now());
}

/** One row for each scope that was used in that time, at its last use. */
function rowsOfUse(use: TokenUseView | null, { event }: IssuedToken): TraceRow[] {
  return (use?.scopes ?? []).flatMap(({ scope, state, last_used: at }) =>
    state !== 'used' || at === null
      ? []
      : [
          {
            at,
            stage: 'use' as const,
            what: `last let through ${scope === '' ? 'without a scope' : scope} by this credential and access`,
            who: event.resource ?? '?',
            event: null,
          },
        ],
  );
}

function inOrder(a: TraceRow, b: TraceRow): number {
  return Date.parse(a.at) - Date.parse(b.at) || (a.event?.seq ?? Infinity) - (b.event?.seq ?? Infinity);
}

function notesOf(token: IssuedToken): string[] {
  return [
    'Use is counted by credential, access and scope, not by token: other tokens of the same three are counted with it.',
    'Introspections are not logged one by one.',
    ...(token.expiresAt === undefined ? ['The event does not say how long it lived: at most a day.'] : []),
  ];
}

function tokenView(token: IssuedToken): TracedToken {
  const { event } = token;
  return {
    jti: token.jti,
    issued_at: event.at,
    expires_at: token.expiresAt === undefined ? null : rfc3339(token.expiresAt),
    identity: event.identity ?? null,
    subject: token.subject ?? event.identity ?? null,
    credential: event.credential ?? null,
    access: event.access ?? null,
    resource_server: event.resource ?? null,
    scopes: [...token.scopes],
    scopes_asked: event.scopes_asked === undefined ? [] : event.scopes_asked.split(' '),
    method: event.method ?? null,
    source: event.source ?? null,
    instance: event.instance ?? null,
    parent: event.parent ?? null,
  };
}

function identityThen(record: IdentityRecord): TokenTrace['identity'] {
  const { person, backup, team } = record.owner;
  return {
    id: record.id,
    client_id: record.clientId,
    state: record.state,
    owner: { person, backup: backup ?? null, team: team ?? null },
    expires_at: rfc3339(record.expiresAt),
    version: record.version,
  };
}

async function accessThen({ storage }: TraceDeps, record: AccessRecord): Promise<TokenTrace['access']> {
  const { approvalId, approvedAt } = record;
  const said = approvalId === undefined ? [] : await storage.approvals.decisionsOf([approvalId]);
  return {
    id: record.id,
    version: record.version,
    state: record.state,
    scopes: [...record.scopes],
    justification: record.justification,
    requested_by: record.requestedBy,
    approved_by: record.approvedBy ?? null,
    approved_at: approvedAt === undefined ? null : rfc3339(approvedAt),
    approvals: said.map(decisionView),
    expires_at: rfc3339(record.expiresAt),
  };
}

function credentialOf(record: CredentialRecord, madeBy: string | undefined): TokenTrace['credential'] {
  return {
    id: record.id,
    type: record.material.type,
    label: record.label,
    made_by: madeBy ?? null,
    created_at: rfc3339(record.createdAt),
    state_now: record.state,
  };
}
