import { expect, test } from 'vitest';
import type { CredentialInstance } from '../../storage/credential-instances.ts';
import { createCredentialInstances, MOST_INSTANCES, OTHERS, SEEN_EVERY_MS } from './credential-instances.ts';

const CREDENTIAL = { id: 'crd_1' };
const ROTATING = { id: 'crd_1', successor: { id: 'crd_2', since: 0 } };

function noting(mostRemembered?: number) {
  const written: CredentialInstance[] = [];
  let fails = false;
  const instances = createCredentialInstances(
    {
      note: async (seen) => {
        if (fails) throw new Error('gone');
        written.push(...seen);
      },
    },
    mostRemembered,
  );
  return { instances, written, fail: (value: boolean) => void (fails = value) };
}

test('an instance is noted once an hour, and every ten minutes while its credential is being replaced', async () => {
  const { instances, written } = noting();
  const at = (minutes: number) => minutes * 60_000;
  for (let minute = 0; minute <= 125; minute++) {
    instances.saw(CREDENTIAL, 'a', '10.0.0.1', at(minute));
    await instances.flush();
  }
  expect(written.map(({ lastAt }) => lastAt)).toEqual([0, at(60), at(120)]);
  for (let minute = 126; minute <= 145; minute++) {
    instances.saw(ROTATING, 'a', '10.0.0.1', at(minute));
    await instances.flush();
  }
  expect(written.slice(3).map(({ lastAt }) => lastAt)).toEqual([at(130), at(140)]);
});

test('what is seen between two writes is one row an instance; who does not say which it is has one, too', async () => {
  const { instances, written } = noting();
  instances.saw(CREDENTIAL, 'a', '10.0.0.1', 1);
  instances.saw(CREDENTIAL, 'a', '10.0.0.2', SEEN_EVERY_MS.otherwise + 1);
  instances.saw(CREDENTIAL, undefined, '10.0.0.3', 2);
  await instances.flush();
  expect(written).toEqual([
    {
      credentialId: 'crd_1',
      instance: 'a',
      source: '10.0.0.2',
      firstAt: 1,
      lastAt: SEEN_EVERY_MS.otherwise + 1,
    },
    { credentialId: 'crd_1', instance: '', source: '10.0.0.3', firstAt: 2, lastAt: 2 },
  ]);
});

test(`${MOST_INSTANCES} instances of a credential are told apart; a name that is gone makes room`, async () => {
  const { instances, written } = noting();
  for (let i = 0; i < MOST_INSTANCES + 20; i++) instances.saw(CREDENTIAL, `i${i}`, 's', 1);
  await instances.flush();
  expect(written.length).toBe(MOST_INSTANCES + 1);
  expect(written.filter(({ instance }) => instance === OTHERS).length).toBe(1);
  instances.saw(CREDENTIAL, 'later', 's', SEEN_EVERY_MS.otherwise + 1);
  await instances.flush();
  expect(written.at(-1)?.instance).toBe('later');
});

test('what is remembered of all credentials is bounded', async () => {
  const { instances, written } = noting(10);
  for (let i = 0; i < 25; i++) instances.saw({ id: `crd_${i}` }, 'a', 's', 1);
  instances.saw({ id: 'crd_0' }, 'a', 's', 2);
  await instances.flush();
  // Forgotten, and noted once more: no loss, and no growth.
  expect(written.length).toBe(25);
  expect(written[0]?.lastAt).toBe(2);
});

test('what could not be written is written with the next', async () => {
  const { instances, written, fail } = noting();
  instances.saw(CREDENTIAL, 'a', 's', 1);
  fail(true);
  await expect(instances.flush()).rejects.toThrow('gone');
  fail(false);
  instances.saw(CREDENTIAL, 'b', 's', 2);
  await instances.flush();
  expect(written.map(({ instance }) => instance)).toEqual(['b', 'a'].sort());
});

test('however many names those call themselves whose credentials are known already, no more are remembered than may be', async () => {
  const { instances, written } = noting(10);
  const other = { id: 'crd_9' };
  instances.saw(CREDENTIAL, 'a', '10.0.0.1', 0);
  instances.saw(other, 'b', '10.0.0.1', 0);
  for (let name = 0; name < 12; name++) instances.saw(CREDENTIAL, `spoofed-${name}`, '10.0.0.1', 1);
  await instances.flush();
  written.length = 0;
  // Forgotten with the others, it is noted once more than it would have to be.
  instances.saw(other, 'b', '10.0.0.1', 2);
  await instances.flush();
  expect(written.map(({ instance }) => instance)).toEqual(['b']);
});
