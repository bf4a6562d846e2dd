import type { Role } from '@countersign/admin-api';
import type { ReviewItemNow } from '../src/storage/review-items.ts';
import { APIS, CHIEFS, everything, type World } from './estate-world.ts';

/** Days from one campaign to the next, and on which of them the first begins. */
const QUARTER = 91;
const FIRST = 21;

/** The names of the policies of the estate, by what becomes of what breaks them. */
export const POLICIES = {
  warned: 'somebody stands in',
  reported: 'credentials are young',
  apart: 'who writes orders does not administer them',
  short: 'access ends within five months',
} as const;
/** Of an access, from now: what the last of the policies asks. */
export const LONGEST_ACCESS_DAYS = 150;
/** What nobody holds together at the first API. */
export const APART = ['write', 'administer'] as const;

/** What people do who look after the whole: policies, exceptions from them, campaigns, proposals. */
export interface Governance {
  begin(): Promise<void>;
  live(today: number): Promise<void>;
}

export function governanceOf({ authority, chance, ask, day }: World): Governance {
  const { storage } = authority;

  async function begin(): Promise<void> {
    const declare = async (name: string, mode: string, rule: string, parameters: object): Promise<void> =>
      void (await ask('POST', '/v1/policies', { name, mode, rule, parameters }));
    await declare(POLICIES.warned, 'warn', 'owner_required', { backup: true });
    await declare(POLICIES.reported, 'report', 'credential_age', { max_age: '45d' });
    const [one, other] = APART.map((scope) => ({ resource_server: APIS[0], scope }));
    await declare(POLICIES.apart, 'enforce', 'separation_of_duties', { pairs: [{ one, other }] });
    await declare(POLICIES.short, 'enforce', 'lifetime_ceiling', { access: `${LONGEST_ACCESS_DAYS}d` });
  }

  async function except(): Promise<void> {
    const { items } = await storage.identities.list({ state: 'active' }, { limit: 500 });
    const some = items.filter(({ builtIn }) => !builtIn && chance.is(1 / 300));
    for (const { clientId } of some) {
      const policy = chance.oneOf([POLICIES.apart, POLICIES.short]);
      const body = { policy, identity: clientId, reason: 'moves', expires_at: day(3 + chance.upTo(30)) };
      await ask('POST', '/v1/policy-exceptions', body, [chance.oneOf(CHIEFS), 'approver']);
    }
  }

  /** One in which owners are asked, and one in which nobody decides on what is theirs. */
  async function plan(): Promise<void> {
    const campaigns = [
      { reviewers: ['owner', 'backup'], query: { resource_server: APIS[0] } },
      { reviewers: ['role:reviewer'], query: { resource_server: APIS[1] }, not_owner: true },
    ];
    for (const [index, campaign] of campaigns.entries()) {
      const ends = { due_at: day(14), fallback_for: '7d', reminders: ['7d', '1d'] };
      const planned = await ask('POST', '/v1/reviews', { name: `campaign ${index}`, ...campaign, ...ends });
      await ask('POST', `/v1/reviews/${planned.body.id}/start`, undefined);
    }
  }

  async function decide(): Promise<void> {
    for (const state of ['open', 'overdue'] as const) {
      for (const { id } of await everything((page) => storage.reviews.list({ state }, page))) {
        const waiting = await everything((page) => storage.reviewItems.list(id, { state: 'pending' }, page));
        for (const item of waiting) if (chance.is(0.04)) await decideOn(item);
      }
    }
  }

  async function decideOn({ id, reviewId, reviewer, fallback, now }: ReviewItemNow): Promise<void> {
    const asked = chance.is(0.7) ? reviewer : fallback;
    const who: readonly [string, Role] = asked.startsWith('person:')
      ? [asked.slice('person:'.length), 'owner']
      : [chance.oneOf(CHIEFS), 'reviewer'];
    // Who has left is let in no more.
    if ((await storage.people.byHandle(who[0]))?.status !== 'active') return;
    const decision = chance.oneOf(['keep', 'keep', 'keep', 'reduce', 'revoke', 'reassign'] as const);
    const body = {
      item: id,
      version: now.version,
      decision,
      comment: 'seen',
      ...(decision === 'reduce' && { scopes: now.scopes.slice(0, 1) }),
      ...(decision === 'reassign' && { to: chance.oneOf(CHIEFS) }),
    };
    await ask('POST', `/v1/reviews/${reviewId}/decisions`, body, who);
  }

  /** Who lost an access by silence finds out, and asks for it. */
  async function giveBack(): Promise<void> {
    for (const { id } of await everything((page) => storage.access.list({ state: 'suspended' }, page))) {
      if (!chance.is(0.05)) continue;
      await ask('POST', `/v1/access/${id}/restore`, { reason: 'is needed' }, [chance.oneOf(CHIEFS), 'admin']);
    }
  }

  async function size(): Promise<void> {
    for (const { id } of await everything((page) => storage.proposals.list({ state: 'open' }, page))) {
      const who = [chance.oneOf(CHIEFS), 'admin'] as const;
      if (chance.is(0.1)) await ask('POST', `/v1/proposals/${id}/apply`, { reason: 'unused' }, who);
      else if (chance.is(0.02))
        await ask('POST', `/v1/proposals/${id}/dismiss`, { reason: 'in winter', until: day(60) }, who);
    }
    for (const { id } of await everything((page) => storage.proposals.list({ state: 'applied' }, page))) {
      if (!chance.is(0.02)) continue;
      await ask('POST', `/v1/proposals/${id}/rollback`, { reason: 'missed' }, [
        chance.oneOf(CHIEFS),
        'admin',
      ]);
    }
  }

  return {
    begin,
    async live(today) {
      await except();
      if (today % QUARTER === FIRST) await plan();
      await decide();
      await giveBack();
      await size();
    },
  };
}
