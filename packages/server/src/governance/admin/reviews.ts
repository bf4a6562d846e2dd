import { setImmediate as turn } from 'node:timers/promises';
import {
  type BodyOf,
  MOST_REVIEW_ITEMS,
  type Review,
  type ReviewQuality,
  reviewReportCsv,
} from '@countersign/admin-api';
import type { Changes } from '../../audit/change.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { Position } from '../../storage/page.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { differenceOf } from '../apply/difference.ts';
import { rehearse } from '../apply/rehearse.ts';
import { closeReview, createReview, reviewersAsKept, startReview } from '../reviews/campaign.ts';
import { type DecideDeps, decideItem, refreshItem, type Said } from '../reviews/decide.ts';
import { fillReview } from '../reviews/fill.ts';
import { findItem } from '../reviews/item.ts';
import { countCandidates, outlookOf } from '../reviews/outlook.ts';
import { QualityCount } from '../reviews/quality.ts';
import { keysOf, reviewerKey } from '../reviews/reviewer.ts';
import { reviewView, spanMs } from '../reviews/view.ts';
import { pageOf, readPosition } from './cursor.ts';
import { requireAdminPerson } from './decider.ts';
import type { Call, Handler, NounHandlers } from './endpoint.ts';
import { findResourceServer, referenced, required } from './find-record.ts';
import { type Admin, lackOf, missingScopes, requirePeople } from './admin.ts';
import { ProblemError } from './problem.ts';
import { itemViews } from './review-item-view.ts';

export type ReviewDeps = DecideDeps & { readonly storage: Storage; readonly changes: Changes };

export function reviewHandlers(deps: ReviewDeps): NounHandlers<'reviews'> {
  const { storage } = deps;
  return {
    'reviews.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        requireMaySuspend(admin, body.on_silence);
        const asked = await askedOf(stores, body, admin);
        const record = await createReview(deps, stores, tell, asked);
        return { ...resultOf(record), location: `/v1/reviews/${record.id}` };
      },
      foresee: async ({ body, admin }) => ({
        review: await foreseen(deps, await askedOf(storage, body, admin)),
      }),
    },

    'reviews.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.reviews.list({ state: query.state }, page), reviewView) };
      },
    },

    'reviews.get': {
      kind: 'read',
      async run({ params }) {
        const record = required(await storage.reviews.byId(params.id), 'review');
        const { states, remediation } = await storage.reviewItems.counts(record.id);
        const { none: _, ...looked } = remediation;
        return {
          body: { ...reviewView(record), progress: { ...states, remediation: looked } },
          version: record.version,
        };
      },
    },

    'reviews.start': startHandler(deps),

    'reviews.items': {
      kind: 'read',
      async run({ params, query, admin }) {
        const review = required(await storage.reviews.byId(params.id), 'review');
        const mine = query.for === undefined ? undefined : await keysOf(storage, requirePeople(admin));
        const filter = {
          // What waits for somebody is undecided, whatever else is asked.
          state: mine === undefined ? query.state : ('pending' as const),
          ...(mine === undefined ? {} : { reviewers: mine, orFallback: review.state === 'overdue' }),
        };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.reviewItems.list(review.id, filter, page);
        const view = await itemViews(deps, storage, review, found.items);
        return { body: await pageOf(found, view) };
      },
    },

    'reviews.decide': decideHandler(deps),

    'reviews.close': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        requirePeople(admin);
        const record = required(await stores.reviews.byId(params.id), 'review');
        requireVersion(record.version);
        // Who ends it before its time keeps silence from suspending: that is not for whoever planned it alone.
        const { states } = await stores.reviewItems.counts(record.id);
        if (states.pending > 0) requireAdminPerson(admin);
        return resultOf(await closeReview(deps, stores, tell, record, body.reason));
      },
    },

    'reviews.quality': {
      kind: 'read',
      async run({ params }) {
        const review = required(await storage.reviews.byId(params.id), 'review');
        return { body: await qualityOf(storage, review) };
      },
    },

    'reviews.report': {
      kind: 'read',
      async run({ params, query }) {
        const review = required(await storage.reviews.byId(params.id), 'review');
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.reviewItems.list(review.id, {}, page);
        const items = await pageOf(found, await itemViews(deps, storage, review, found.items));
        const body = { ...items, review: reviewView(review) };
        if (query.format === 'json') return { body };
        const csv = reviewReportCsv(items.items, query.cursor === undefined);
        return { body, csv: { text: csv, nextCursor: items.next_cursor } };
      },
    },
  };
}

const NEEDED = { suspend_access: 'access:write', suspend_identity: 'identities:write' } as const;

/** Silence does it for whoever planned the campaign: they must be allowed to do it without one, too. */
function requireMaySuspend(admin: Admin, onSilence: ReviewRecord['onSilence']): void {
  const missing = missingScopes(admin, [NEEDED[onSilence]]);
  if (missing.length > 0) throw new ProblemError('insufficient_scope', { detail: lackOf(admin, missing) });
}

type Asked = Parameters<typeof createReview>[3];

async function askedOf(
  stores: Pick<Stores, 'resourceServers'>,
  body: BodyOf<'reviews.create'>,
  { actor, person }: Admin,
): Promise<Asked> {
  const { query } = body;
  const resourceServer =
    query.resource_server === undefined
      ? undefined
      : referenced(
          await findResourceServer(stores, query.resource_server),
          '/query/resource_server',
          'resource server',
          query.resource_server,
        );
  return {
    name: body.name,
    query: {
      resourceServerId: resourceServer?.id,
      scope: query.scope,
      environments: query.environments,
      kinds: query.kinds,
      minSensitivity: query.min_sensitivity,
      team: query.team,
      owner: query.owner,
      notUsedForMs: query.not_used_for === undefined ? undefined : spanMs(query.not_used_for),
    },
    reviewers: reviewersAsKept(body.reviewers),
    fallback: reviewerKey(body.fallback),
    notOwner: body.not_owner,
    opensAt: body.opens_at === undefined ? undefined : Date.parse(body.opens_at),
    dueAt: Date.parse(body.due_at),
    fallbackForMs: spanMs(body.fallback_for),
    reminders: body.reminders.map(spanMs),
    onSilence: body.on_silence,
    tokens: body.tokens,
    useWithinMs: spanMs(body.use_within),
    repeatEveryMs: body.repeat_every === undefined ? undefined : spanMs(body.repeat_every),
    createdBy: person?.handle ?? actor.identity,
  };
}

type Outlook = Awaited<ReturnType<typeof outlookOf>>;

async function foreseen(
  { storage, clock }: ReviewDeps,
  asked: Pick<ReviewRecord, 'query' | 'reviewers' | 'fallback' | 'notOwner' | 'useWithinMs'>,
): Promise<Outlook> {
  return await outlookOf(storage, asked, clock.now(), MOST_REVIEW_ITEMS);
}

/** What fits into one transaction is open with the answer; the rest is filled by its job. */
function startHandler(deps: ReviewDeps): Handler<'reviews.start'> {
  const { storage, changes, clock } = deps;
  const start = async (call: Call<'reviews.start'>, stores: Stores, tell: Tell): Promise<ReviewRecord> => {
    const record = required(await stores.reviews.byId(call.params.id), 'review');
    call.requireVersion(record.version);
    const started = await startReview(deps, stores, tell, record);
    return await fillReview(deps, stores, tell, started, MOST_REVIEW_ITEMS);
  };
  return {
    kind: 'many',
    async run(call) {
      const record = required(await storage.reviews.byId(call.params.id), 'review');
      if ((await countCandidates(storage, record, clock.now(), MOST_REVIEW_ITEMS)) > MOST_REVIEW_ITEMS) {
        const detail = `more than ${MOST_REVIEW_ITEMS} accesses match: narrow the query`;
        throw new RegistryRefusal('limit_reached', detail);
      }
      return resultOf(await changes.run(call.admin.actor, (stores, tell) => start(call, stores, tell)));
    },
    preview: async (call) =>
      differenceOf(await rehearse(storage, (stores, tell) => start(call, stores, tell))),
    async foresee({ params }) {
      const record = required(await storage.reviews.byId(params.id), 'review');
      return { review: await foreseen(deps, record) };
    },
  };
}

/** A decision on what has changed since is refused, and the item is brought to what is so now: in a transaction of its own. */
function decideHandler(deps: ReviewDeps): Handler<'reviews.decide'> {
  const { storage, changes } = deps;
  const decide = async (call: Call<'reviews.decide'>, stores: Stores, tell: Tell): Promise<void> => {
    required(await stores.reviews.byId(call.params.id), 'review');
    const deciding = required(await findItem(stores, call.params.id, call.body.item), 'item of this review');
    await decideItem(deps, stores, tell, deciding, saidOf(call));
  };
  return {
    kind: 'many',
    async run(call) {
      const { actor } = call.admin;
      try {
        await changes.run(actor, (stores, tell) => decide(call, stores, tell));
      } catch (error) {
        if (!(error instanceof RegistryRefusal) || error.reason !== 'content_changed') throw error;
        await changes.run(actor, async (stores, tell) => {
          const deciding = await findItem(stores, call.params.id, call.body.item);
          if (deciding !== undefined) await refreshItem(deps, stores, tell, deciding);
        });
        throw error;
      }
      const review = required(await storage.reviews.byId(call.params.id), 'review');
      const item = required(await storage.reviewItems.byId(call.body.item), 'item');
      return { body: (await itemViews(deps, storage, review, [item]))(item) };
    },
    preview: async (call) =>
      differenceOf(await rehearse(storage, (stores, tell) => decide(call, stores, tell))),
  };
}

function saidOf({ body, admin }: Call<'reviews.decide'>): Said {
  const { issuer, subject, handle, roles, teams } = requirePeople(admin);
  return {
    decision: body.decision,
    version: body.version,
    scopes: body.scopes,
    to: body.to,
    comment: body.comment,
    person: { kind: 'person', issuer, subject, handle, roles, teams },
    actor: admin.actor,
  };
}

async function qualityOf(storage: Storage, review: ReviewRecord): Promise<ReviewQuality> {
  const quality = new QualityCount();
  let after: Position | undefined;
  do {
    const page = await storage.reviewItems.list(review.id, {}, { limit: 1000, after });
    for (const item of page.items) quality.add(item);
    after = page.next;
    await turn();
  } while (after !== undefined);
  const { states } = await storage.reviewItems.counts(review.id);
  return { review: review.id, reviewers: quality.result(), silent: states.silent, undecided: states.pending };
}

function resultOf(record: ReviewRecord): { body: Review; version: number } {
  return { body: reviewView(record), version: record.version };
}
