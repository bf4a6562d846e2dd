import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { fakeAuthority, ISSUER, problem } from '../../test/fake-authority.ts';
import { type FakeHost, fakeHost } from '../../test/fake-host.ts';
import { runCommandLine } from '../main.ts';

vi.setConfig({ testTimeout: 30_000 });

const event = (seq: number) => ({
  seq,
  id: `evt_${seq}`,
  at: '2026-11-21T12:00:00.000Z',
  type: 'token.issued',
  outcome: 'success',
});

/** Events come by and by: `script` has what each question finds, by the number up to which there are some; 0: no answer. */
function following(
  script: readonly number[],
  ...more: string[]
): { host: FakeHost; asked: URL[]; ended: Promise<number> } {
  const asked: URL[] = [];
  const PAGE = 2;
  const authority = fakeAuthority({
    'GET /audit/events': ({ path }) => {
      const url = new URL(path, ISSUER);
      const known = script[Math.min(asked.length, script.length - 1)] as number;
      asked.push(url);
      if (known === 0) return problem('unavailable', 503);
      const after = Number(url.searchParams.get('cursor') ?? '0');
      const found = Array.from({ length: known - after }, (_, index) => event(after + index + 1));
      return { items: found.slice(0, PAGE), next_cursor: found.length > PAGE ? String(after + PAGE) : null };
    },
  });
  const env = {
    COUNTERSIGN_ISSUER: ISSUER,
    COUNTERSIGN_CLIENT_ID: 'a',
    COUNTERSIGN_CLIENT_SECRET: 'csk_fake',
  };
  const host = fakeHost({ fetch: authority.fetch, env });
  return { host, asked, ended: runCommandLine(['audit', 'events', '--follow', ...more], host) };
}

async function until(held: () => boolean): Promise<void> {
  for (let tries = 0; !held() && tries < 2000; tries++) await sleep(10);
}

const seqs = (host: FakeHost): number[] =>
  host
    .out()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { seq: number }).seq);

test.each(['ndjson', 'json'])(
  'events are followed as lines (%s), each once, until Ctrl-C, which is 0',
  async (format) => {
    const { host, asked, ended } = following([3, 3, 5], '-o', format);
    await until(() => host.out().includes('evt_5'));
    host.signal('SIGINT');
    expect(await ended).toBe(0);
    expect(seqs(host)).toEqual([1, 2, 3, 4, 5]);
    expect(asked[0]?.searchParams.get('from')).toBe('2026-11-21T12:00:00.000Z');
    expect(host.err()).toBe('');
  },
);

test('as a table the header comes once', async () => {
  const { host, ended } = following([1, 2], '--from', '1h');
  await until(() => host.out().split('\n').length === 4);
  host.signal('SIGTERM');
  expect(await ended).toBe(0);
  expect(host.out().match(/^(SEQ|1|2) .*$/gm)).toHaveLength(3);
});

test('an authority that is away for a while is asked again from the same place, and that is said once', async () => {
  const { host, ended } = following([1, 0, 0, 2], '-o', 'ndjson');
  await until(() => host.out().includes('evt_2'));
  host.signal('SIGINT');
  expect(await ended).toBe(0);
  expect(seqs(host)).toEqual([1, 2]);
  expect(host.err().match(/It is asked again\./g)).toHaveLength(1);
});

test.each([
  [['--to', '1h'], '--follow has no end.'],
  [['-o', 'yaml'], '--follow prints lines.'],
])('what has no place in it is refused: %j', async (more, said) => {
  const { host, ended } = following([1], ...more);
  expect(await ended).toBe(2);
  expect(host.err()).toContain(said);
});
