import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { anEvent } from '../../test/segments.ts';
import { pooledRandom } from '../ids.ts';
import type { AuditEvent } from './event.ts';
import { AuditUnavailable } from './sink.ts';
import { createStrangerBudget, type StrangerBudget } from './stranger-budget.ts';

const START = Date.parse('2026-11-21T12:00:00.000Z');
const MINUTE = 60_000;
const BEAT = 10;

interface Summary {
  readonly count: number;
  readonly from: string;
  readonly reasons: Readonly<Record<string, number>>;
}

let logged: AuditEvent[];
/** Ends the appends that the log has not answered yet: taken, or refused. */
let held: { event: AuditEvent; end: (takes: boolean) => void }[];
let takes: boolean | 'later';
let free: number | undefined;
let budget: StrangerBudget;
let busy: number;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  logged = [];
  held = [];
  takes = true;
  free = undefined;
  busy = 0;
  budget = createStrangerBudget({
    log: {
      append: (event) =>
        new Promise((resolve, reject) => {
          const end = (taken: boolean): void => {
            if (taken) logged.push(event);
            if (taken) resolve();
            else reject(new AuditUnavailable('full'));
          };
          if (takes === 'later') held.push({ event, end });
          else end(takes);
        }),
    },
    freeBytes: () => free,
    reservedBytes: 1000,
    clock: { now: () => Date.now() },
    busy: () => busy,
    random: pooledRandom(),
    node: 'n1',
  });
});
afterEach(() => {
  budget.close();
  vi.useRealTimers();
});

function refuse(
  source: string | undefined,
  claimed?: string,
  reason = 'secret_mismatch',
  arrivedAt = Date.now(),
): Promise<void> {
  const event = anEvent({ type: 'token.refused', outcome: 'refused', identity: claimed, source, reason });
  return budget.refused(event, claimed, arrivedAt);
}
function refuseOften(times: number, source: string, claimed?: string, reason?: string): void {
  for (let i = 0; i < times; i++) void refuse(source, claimed, reason);
}
const verbatim = (): AuditEvent[] => logged.filter((event) => event.type === 'token.refused');
const summaries = (): (AuditEvent & { told: Summary })[] =>
  logged
    .filter((event) => event.type === 'token.refusals_summarised')
    .map((event) => ({ ...event, told: JSON.parse(event.detail as string) as Summary }));
const counted = (): number => summaries().reduce((sum, { told }) => sum + told.count, 0);

describe('the record of those for whom a trusted issuer signed', () => {
  const vouched = (
    subject: string,
    source = '192.0.2.1',
    issuer = 'tis_1',
    reason = 'assertion_condition_not_met',
  ): Promise<void> => {
    const event = anEvent({ type: 'token.refused', outcome: 'refused', source, reason });
    return budget.refused(event, undefined, Date.now(), { trustedIssuer: issuer, subject });
  };

  it('has a budget for each subject and reason, apart from that of strangers at the same address', async () => {
    refuseOften(25, '192.0.2.1');
    for (let i = 0; i < 70; i++) void vouched('project_id=1');
    void vouched('project_id=2');
    void vouched('project_id=1', '192.0.2.1', 'tis_2');
    void vouched('project_id=1', '192.0.2.1', 'tis_1', 'assertion_replayed');
    expect(verbatim()).toHaveLength(20 + 60 + 1 + 1 + 1);
    await budget.summarise();
    expect(summaries().map(({ source, told }) => ({ source, ...told }))).toMatchObject([
      { source: '192.0.2.1', count: 5 },
      { trusted_issuer: 'tis_1', subject: 'project_id=1', count: 10 },
    ]);
  });

  it('is bounded in all, and exactly counted beyond', async () => {
    for (let i = 0; i < 3000; i++) void vouched(`repository_id=${i}`);
    expect(verbatim()).toHaveLength(600);
    await budget.summarise();
    expect(counted()).toBe(2400);
    expect(summaries().length).toBeLessThanOrEqual(1001);
    refuseOften(20, '192.0.2.1');
    expect(verbatim()).toHaveLength(620);
  });

  it('is only counted where space is kept for issuance, and carried over while the log is down', async () => {
    free = 999;
    void vouched('project_id=1');
    takes = false;
    await budget.summarise();
    takes = true;
    await budget.summarise();
    expect([verbatim().length, counted()]).toEqual([0, 1]);
  });

  it('answers on the same beat as strangers', async () => {
    let left = false;
    void vouched('project_id=1').then(() => (left = true));
    await vi.advanceTimersByTimeAsync(2 * BEAT - 1);
    expect(left).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(left).toBe(true);
  });
});

describe('the record of strangers', () => {
  it('tells the first twenty a minute of each source and claimed id as they were, the others as a count', async () => {
    refuseOften(25, '192.0.2.1', 'payments');
    refuseOften(3, '192.0.2.1', 'payments', 'credential_expired');
    refuseOften(21, '192.0.2.1', 'billing');
    refuseOften(20, '192.0.2.2', 'payments');
    refuseOften(2, '192.0.2.1');
    expect(verbatim()).toHaveLength(20 + 20 + 20 + 2);
    await budget.summarise();
    expect(summaries().map(({ identity, source, told }) => ({ identity, source, ...told }))).toEqual([
      {
        identity: 'payments',
        source: '192.0.2.1',
        count: 8,
        from: '2026-11-21T12:00:00.000Z',
        reasons: { secret_mismatch: 5, credential_expired: 3 },
      },
      {
        identity: 'billing',
        source: '192.0.2.1',
        count: 1,
        from: '2026-11-21T12:00:00.000Z',
        reasons: { secret_mismatch: 1 },
      },
    ]);
    expect(summaries()[0]).toMatchObject({ outcome: 'refused', node: 'n1', at: '2026-11-21T12:00:00.000Z' });
  });

  it('sums up at the end of each minute by itself, and begins anew', async () => {
    refuseOften(21, '192.0.2.1', 'payments');
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(summaries().map(({ told }) => told.count)).toEqual([1]);
    refuseOften(21, '192.0.2.1', 'payments');
    expect(verbatim()).toHaveLength(40);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(summaries().map(({ told }) => [told.count, told.from])).toEqual([
      [1, '2026-11-21T12:00:00.000Z'],
      [1, '2026-11-21T12:01:00.000Z'],
    ]);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(summaries()).toHaveLength(2);
  });

  it('tells two thousand a minute of all together, so that inventing pairs is no way round', async () => {
    for (let i = 0; i < 2500; i++) void refuse(`192.0.2.${i % 250}`, `client-${i}`);
    expect(verbatim()).toHaveLength(2000);
    await budget.summarise();
    expect(counted()).toBe(500);
  });

  it('counts exactly, also far more pairs than it can tell apart', async () => {
    let seed = 42;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const expected = new Map<string, number>();
    for (let i = 0; i < 100_000; i++) {
      const reason = ['secret_mismatch', 'client_unknown', 'grant_type_missing'][random(3)] as string;
      expected.set(reason, (expected.get(reason) ?? 0) + 1);
      void refuse(
        `10.${random(40)}.${random(40)}.1`,
        random(2) === 0 ? undefined : `client-${random(20)}`,
        reason,
      );
    }
    await budget.summarise();
    const told = summaries();
    expect(verbatim().length + told.reduce((sum, each) => sum + each.told.count, 0)).toBe(100_000);
    for (const [reason, times] of expected) {
      const summed = told.reduce((sum, each) => sum + (each.told.reasons[reason] ?? 0), 0);
      expect(summed + verbatim().filter((event) => event.reason === reason).length).toBe(times);
    }
    expect(told.filter(({ source }) => source === '*')).toHaveLength(1);
    expect(told.length).toBeLessThanOrEqual(10_001);
  }, 60_000);

  it('carries the counts over while the log is down, and dates them from when they began', async () => {
    takes = false;
    refuseOften(30, '192.0.2.1', 'payments');
    await vi.advanceTimersByTimeAsync(MINUTE);
    refuseOften(5, '192.0.2.1', 'payments');
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(logged).toEqual([]);
    takes = true;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(summaries().map(({ told }) => [told.count, told.from])).toEqual([
      [35, '2026-11-21T12:00:00.000Z'],
    ]);
    refuseOften(21, '192.0.2.1', 'payments');
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(summaries().at(-1)?.told).toMatchObject({ count: 1, from: '2026-11-21T12:03:00.000Z' });
  });

  it('carries over what all pairs beyond the bound share, too', async () => {
    takes = false;
    for (let i = 0; i < 10_010; i++) void refuse(`10.0.${i >> 8}.${i & 255}`);
    await vi.advanceTimersByTimeAsync(MINUTE);
    for (let i = 0; i < 10_010; i++) void refuse(`10.0.${i >> 8}.${i & 255}`);
    takes = true;
    await budget.summarise();
    await budget.summarise();
    expect(counted()).toBe(20_020);
    expect(summaries().filter(({ source }) => source === '*')).toHaveLength(1);
  });

  it('loses no count when the log refuses after the minute has turned', async () => {
    takes = 'later';
    refuseOften(7, '192.0.2.1', 'payments');
    expect(held).toHaveLength(7);
    await vi.advanceTimersByTimeAsync(MINUTE);
    takes = true;
    for (const { end } of held.splice(0)) end(false);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(verbatim().length + counted()).toBe(7);
  });

  it('only counts when the space that is left belongs to issuance', async () => {
    free = 1000;
    refuseOften(4, '192.0.2.1', 'payments');
    expect(verbatim()).toHaveLength(0);
    free = 1001;
    refuseOften(4, '192.0.2.1', 'payments');
    expect(verbatim()).toHaveLength(4);
    await budget.summarise();
    expect(counted()).toBe(4);
  });

  it('takes a /64 of IPv6 for one source, however it is written, and an IPv4 address for itself', async () => {
    const one = [
      '2001:db8:0:7::1',
      '2001:db8:0:7:ffff:ffff:ffff:ffff',
      '2001:db8:0:7:1:2:3:4',
      '2001:db8:0:7::',
    ];
    for (let i = 0; i < 40; i++) void refuse(one[i % one.length], 'payments');
    expect(verbatim()).toHaveLength(20);
    for (const other of [
      '2001:db8:0:8::1',
      '::1',
      '::',
      '2001:db8::7:0:0:1',
      '192.0.2.1',
      '192.0.2.2',
      'fe80::1%eth0',
      undefined,
    ])
      void refuse(other, 'payments');
    expect(verbatim()).toHaveLength(28);
    await budget.summarise();
    expect(summaries().map(({ source, told }) => [source, told.count])).toEqual([['2001:db8:0:7::/64', 20]]);
  });
});

describe('the answers to strangers', () => {
  async function leaving(times: number): Promise<() => number> {
    let left = 0;
    for (let i = 0; i < times; i++) void refuse('192.0.2.1', 'payments').then(() => left++);
    await vi.advanceTimersByTimeAsync(0);
    return () => left;
  }

  /** When the answer to a request of `arrivedAt` left that took `work` ms to refuse; ms after the start. */
  async function leftAt(arrivedAt: number, work: number): Promise<number> {
    vi.setSystemTime(START + arrivedAt);
    await vi.advanceTimersByTimeAsync(work);
    let left = false;
    void refuse('192.0.2.1', 'payments', 'client_unknown', START + arrivedAt).then(() => (left = true));
    await vi.advanceTimersByTimeAsync(0);
    while (!left) await vi.advanceTimersByTimeAsync(1);
    return Date.now() - START;
  }

  it('leave on the first beat of the clock twenty ms after the request came, whatever the work was', async () => {
    for (const work of [0, 1, 4, 9, 15, 19]) {
      expect(await leftAt(1000, work), `${work}`).toBe(1020);
      expect(await leftAt(2003, work), `${work}`).toBe(2030);
      expect(await leftAt(3009, work), `${work}`).toBe(3030);
      expect(await leftAt(4001, work), `${work}`).toBe(4030);
    }
    expect(await leftAt(5003, 34)).toBe(5040);
  });

  it('leave when they leave, whatever the log does', async () => {
    takes = 'later';
    const left = await leaving(1);
    await vi.advanceTimersByTimeAsync(2 * BEAT - 1);
    expect(left()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(left()).toBe(1);
  });

  it('leave in the order in which the requests came, not in that of their refusal', async () => {
    const order: number[] = [];
    for (const i of [3, 1, 2, 0]) {
      void refuse('192.0.2.1', 'payments', undefined, START + i).then(() => order.push(i));
    }
    await vi.advanceTimersByTimeAsync(3 * BEAT);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('wait in a line of twenty thousand: beyond it the oldest leave at once', async () => {
    const left = await leaving(20_000);
    expect(left()).toBe(0);
    const more = await leaving(5);
    expect([left(), more()]).toEqual([5, 0]);
  });

  it('do not wait for the clock to catch up when it was set back', async () => {
    const left = await leaving(3);
    vi.setSystemTime(START - 3_600_000);
    await vi.advanceTimersByTimeAsync(2 * BEAT);
    expect(left()).toBe(3);
  });

  it('leave twenty a beat at most, the oldest first', async () => {
    const order: number[] = [];
    for (let i = 0; i < 50; i++) void refuse('192.0.2.1', 'payments').then(() => order.push(i));
    await vi.advanceTimersByTimeAsync(2 * BEAT);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await vi.advanceTimersByTimeAsync(BEAT);
    expect(order).toHaveLength(40);
    await vi.advanceTimersByTimeAsync(BEAT);
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('give way while the process has no idle moment, down to a hundred a second, and come back when it has', async () => {
    const left = await leaving(18_000);
    const perSecond = async (): Promise<number> => {
      const before = left();
      await vi.advanceTimersByTimeAsync(1000);
      return left() - before;
    };
    busy = 0.95;
    expect(await perSecond()).toBeLessThan(500);
    expect(await perSecond()).toBe(100);
    busy = 0.5;
    await vi.advanceTimersByTimeAsync(2000);
    expect(await perSecond()).toBe(2000);
  });

  it('wait for ten seconds at the longest, however busy it is', async () => {
    busy = 1;
    const left = await leaving(18_000);
    await vi.advanceTimersByTimeAsync(9_990);
    expect(left()).toBeLessThan(1_500);
    await vi.advanceTimersByTimeAsync(20);
    expect(left()).toBe(18_000);
  });

  it('keep no timer while nobody waits', async () => {
    const before = vi.getTimerCount();
    const left = await leaving(3);
    expect(vi.getTimerCount()).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(2 * BEAT);
    expect([left(), vi.getTimerCount()]).toEqual([3, before]);
  });

  it('all leave at the end, and at once from then on', async () => {
    const left = await leaving(100);
    budget.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(left()).toBe(100);
    expect((await leaving(1))()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
