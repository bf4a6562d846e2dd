import { expect } from 'vitest';
import type { Authority } from './authority.ts';
import { type Estate, openEstate } from './estate.ts';
import { watchEstate } from './estate-invariants.ts';
import { everything } from './estate-world.ts';

export interface Story {
  readonly identities: number;
  readonly days: number;
  readonly seed: number;
  /** Told once a month how it goes. */
  readonly say?: (line: string) => void;
}

/** Lives an estate day by day, each of which is looked at; at the end what is exported and applied changes nothing. */
export async function simulate({ identities, days, seed, say }: Story): Promise<{
  readonly estate: Estate;
  /** How many identities are in each state at the end. */
  readonly reached: Readonly<Record<string, number>>;
}> {
  const estate = await openEstate(identities, seed);
  const { authority } = estate;
  const watch = watchEstate(authority);
  for (let day = 1; day <= days; day++) {
    await estate.live();
    expect(await watch.broken(), `seed ${seed}, day ${day}`).toEqual([]);
    expect(authority.bugs, `seed ${seed}, day ${day}`).toEqual([]);
    if (day % 30 === 0) say?.(`day ${day} of ${days}: ${JSON.stringify(await statesOf(authority))}`);
  }
  expect([...estate.answers.keys()].filter((each) => / (5\d\d|40[014])$/.test(each))).toEqual([]);
  const exported = await authority.call('GET', '/v1/export');
  const applied = await authority.call('POST', '/v1/apply', {
    body: { documents: exported.body.documents, prune: true },
  });
  expect(applied.body.changes, applied.text.slice(0, 2000)).toEqual([]);
  return { estate, reached: await statesOf(authority) };
}

async function statesOf({ storage }: Authority): Promise<Readonly<Record<string, number>>> {
  const states: Record<string, number> = {};
  for (const { state } of await everything((page) => storage.identities.list({}, page)))
    states[state] = (states[state] ?? 0) + 1;
  return states;
}
