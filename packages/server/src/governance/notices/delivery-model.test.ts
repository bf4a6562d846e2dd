import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Authority, openAuthority } from '../../../test/authority.ts';
import { deliverWebhooksJob } from '../jobs/deliver-webhooks.ts';
import type { Post } from './deliver-to-webhook.ts';

const never = new AbortController().signal;
const DAY = 86_400_000;

/** What may happen, in any order. */
type Step =
  | { readonly kind: 'change' }
  | { readonly kind: 'undone' }
  | { readonly kind: 'send'; readonly nodes: 1 | 2 }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'answers'; readonly answers: 'ok' | 'error' | 'away' | 'dies' }
  | { readonly kind: 'rotate' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'change' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'undone' }) },
  { weight: 4, arbitrary: fc.constantFrom<1 | 2>(1, 2).map((nodes): Step => ({ kind: 'send', nodes })) },
  { weight: 3, arbitrary: fc.nat(4 * 3_600_000).map((ms): Step => ({ kind: 'wait', ms })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('ok' as const, 'error' as const, 'away' as const, 'dies' as const)
      .map((answers): Step => ({ kind: 'answers', answers })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'rotate' }) },
);

/** What the receiver took, and what it should have: every change that was made, no other. */
interface Model {
  readonly due: Set<string>;
  readonly taken: Map<string, string>;
  attempts: number;
  answers: 'ok' | 'error' | 'away' | 'dies';
}

test('whatever happens in whatever order, every change is told at least once, under one id, and nothing else is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const model: Model = { due: new Set(), taken: new Map(), attempts: 0, answers: 'ok' };
      const post: Post = async (_url, body, { headers }) => {
        model.attempts++;
        if (model.answers === 'away') return { ok: false, reason: 'connection_failed' };
        if (model.answers === 'error') return { ok: true, status: 500 };
        const id = headers['webhook-id'] as string;
        expect(model.taken.get(id) ?? body).toBe(body);
        model.taken.set(id, body);
        // It arrived, and nobody here has seen it.
        if (model.answers === 'dies') throw new Error('the process is gone');
        return { ok: true, status: 200 };
      };
      const authority = await openAuthority({ post, fetchFault: () => undefined });
      try {
        await play(authority, model, steps);
      } finally {
        await authority.close();
      }
    }),
    { numRuns: 12 },
  );
});

async function play(authority: Authority, model: Model, steps: readonly Step[]): Promise<void> {
  const { clock, log, changes, deps } = authority;
  const body = { name: 'all', url: 'https://siem.example/', events: ['thing.*'] };
  const { id } = (await authority.call('POST', '/v1/webhooks', { body })).body as { id: string };
  const jobs = [0, 1].map(() =>
    deliverWebhooksJob({ ...deps, digest: (secret) => deps.secretHash.digest(secret) }),
  );
  for (const job of jobs) await job.run(never);
  const run = (nodes: number): Promise<unknown> =>
    Promise.all(jobs.slice(0, nodes).map((job) => job.run(never).catch(() => undefined)));

  for (const each of steps) {
    if (each.kind === 'change') {
      await changes.run({ identity: 'x' }, async (_stores, tell) =>
        tell({ type: 'thing.changed', resource: 'r' }),
      );
      model.due.add(log.events.at(-1)?.id ?? '');
    } else if (each.kind === 'undone') {
      const undone = changes.run({ identity: 'x' }, async (_stores, tell) => {
        tell({ type: 'thing.changed', resource: 'undone' });
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
    } else if (each.kind === 'send') await run(each.nodes);
    else if (each.kind === 'wait') clock.advance(each.ms);
    else if (each.kind === 'answers') model.answers = each.answers;
    else await authority.call('POST', `/v1/webhooks/${id}/rotate`, { body: {} });
  }

  // Less than three days have passed in which it failed, or it was disabled and is brought back.
  model.answers = 'ok';
  const path = `/v1/webhooks/${id}`;
  const any = { headers: { 'If-Match': '*' } };
  await authority.call('PATCH', path, { ...any, body: { state: 'enabled' } });
  await authority.call('POST', `${path}/redeliver`, {
    body: { since: new Date(clock.now() - 30 * DAY).toISOString() },
  });
  for (let round = 0; round < 3; round++) {
    clock.advance(13 * 3_600_000);
    await run(2);
  }
  expect(new Set(model.taken.keys())).toEqual(model.due);
  const left = await authority.storage.webhookDeliveries.waiting(id, 10);
  expect(left).toBe(0);
  const attempts = model.attempts;
  clock.advance(DAY);
  await run(2);
  expect(model.attempts).toBe(attempts);
}
