import type { AdminClient, Me } from '@countersign/admin-api';
import type { Target } from '../routing/place.ts';
import { FINDING_KIND } from '../words/states.ts';
import { fromNow, plural } from '../words/time.ts';

/** One thing that somebody should do. */
export interface Task {
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly says: string;
  readonly to: Target;
}

/** A number and the list behind it. */
export interface Tile {
  readonly title: string;
  readonly count: number;
  /** There are more than were counted. */
  readonly more: boolean;
  readonly says: string;
  readonly to: Target;
}

export interface Work {
  readonly tiles: readonly Tile[];
  readonly tasks: readonly Task[];
}

const WEEK_MS = 7 * 86_400_000;
/** Of each kind so many tasks; the tile leads to the rest. */
const MOST = 5;
/** Counted at most. */
const COUNTED = 200;

interface Page<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

const NONE: Page<never> = { items: [], more: false };

/** What waits, ends and is wrong, as far as this person may see it. */
export async function readWork(client: AdminClient, me: Me, now: number): Promise<Work> {
  const page = async <T>(
    scope: string,
    ask: () => Promise<{ body: { items: T[]; next_cursor: string | null } }>,
  ): Promise<Page<T>> => {
    if (!me.scopes.includes(scope)) return NONE;
    const { body } = await ask();
    return { items: body.items, more: body.next_cursor !== null };
  };
  const soon = new Date(now + WEEK_MS).toISOString();
  const [approvals, open, overdue, findings, credentials, access] = await Promise.all([
    page('approvals:read', () =>
      client.call('approvals.list', { query: { state: 'pending', for: 'me', limit: COUNTED } }),
    ),
    page('reviews:read', () => client.call('reviews.list', { query: { state: 'open', limit: MOST } })),
    page('reviews:read', () => client.call('reviews.list', { query: { state: 'overdue', limit: MOST } })),
    page('findings:read', () =>
      client.call('findings.list', { query: { state: 'open', severity: 'high', limit: COUNTED } }),
    ),
    page('credentials:read', () =>
      client.call('credentials.list', { query: { state: 'active', expires_before: soon, limit: COUNTED } }),
    ),
    page('access:read', () => client.call('access.list', { query: { state: 'expiring', limit: COUNTED } })),
  ]);
  const campaigns = [...overdue.items, ...open.items];
  const mine = await Promise.all(
    campaigns.map(async (review) => {
      const { body } = await client.call('reviews.items', {
        params: { id: review.id },
        query: { state: 'pending', for: 'me', limit: COUNTED },
      });
      return { review, count: body.items.length, more: body.next_cursor !== null };
    }),
  );
  const toReview = mine.filter(({ count }) => count > 0);
  const tasks: Task[] = [
    ...approvals.items.slice(0, MOST).map((each) => ({
      key: each.id,
      kind: 'Approve',
      title: each.resource === null ? each.client_id : `${each.client_id} → ${each.resource}`,
      says: `asked by ${each.requested_by}; lapses ${fromNow(each.expires_at, now)}`,
      to: { screen: 'approvals', subject: each.id },
    })),
    ...toReview.map(({ review, count, more }) => ({
      key: review.id,
      kind: 'Review',
      title: review.name,
      says: `${more ? 'more than ' : ''}${plural(count, 'decision')} of yours; due ${fromNow(review.due_at, now)}`,
      to: { screen: 'reviews', subject: review.id },
    })),
    ...findings.items.slice(0, MOST).map((each) => ({
      key: each.id,
      kind: 'Mend',
      title: `${FINDING_KIND[each.kind]}: ${each.client_id}`,
      says: each.reason,
      to: { screen: 'findings', subject: each.id },
    })),
    ...credentials.items.slice(0, MOST).map((each) => ({
      key: each.id,
      kind: 'Rotate',
      title: `${each.client_id}: ${each.label}`,
      says: `the credential ends ${fromNow(each.expires_at, now)}`,
      to: { screen: 'identities', subject: each.client_id },
    })),
  ];
  return { tasks, tiles: tilesOf({ approvals, toReview, findings, credentials, access }) };
}

interface Counts {
  readonly approvals: Page<unknown>;
  readonly toReview: readonly { readonly count: number; readonly more: boolean }[];
  readonly findings: Page<unknown>;
  readonly credentials: Page<unknown>;
  readonly access: Page<unknown>;
}

function tilesOf({ approvals, toReview, findings, credentials, access }: Counts): readonly Tile[] {
  const decisions = toReview.reduce((sum, { count }) => sum + count, 0);
  return [
    {
      title: 'For you to approve',
      count: approvals.items.length,
      more: approvals.more,
      says: 'Others wait for it',
      to: { screen: 'approvals' },
    },
    {
      title: 'For you to review',
      count: decisions,
      more: toReview.some(({ more }) => more),
      says: 'In campaigns that are open',
      to: { screen: 'reviews' },
    },
    {
      title: 'High findings',
      count: findings.items.length,
      more: findings.more,
      says: 'Open, each with its fix',
      to: { screen: 'findings', query: { severity: 'high', state: 'open' } },
    },
    {
      title: 'End soon',
      count: credentials.items.length + access.items.length,
      more: credentials.more || access.more,
      says: 'Credentials within 7 days, and access near its end',
      to: { screen: 'access', query: { state: 'expiring' } },
    },
  ];
}
