import { expect, it } from 'vitest';
import { identityRecord, T0 } from './records.ts';
import type { Subject } from './subject.ts';

export function identityRiskContract({ storage }: Subject): void {
  async function scored(score: number): Promise<string> {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    await storage().identityRisks.put({ identityId: identity.id, score, at: T0 });
    return identity.id;
  }

  it('keeps the last score of each identity, and none of one that does not exist', async () => {
    const id = await scored(40);
    const { identityRisks } = storage();
    await identityRisks.put({ identityId: id, score: 41, at: T0 + 5 });
    expect(await identityRisks.of(id)).toEqual({ identityId: id, score: 41, at: T0 + 5 });
    await identityRisks.put({ identityId: 'idn_nobody', score: 9, at: T0 });
    expect(await identityRisks.of('idn_nobody')).toBeUndefined();
  });

  it('lists the riskiest first, in pages, down to a score', async () => {
    const ids = [await scored(99), await scored(100), await scored(98), await scored(99), await scored(0)];
    const seen: string[] = [];
    let after: Parameters<ReturnType<typeof storage>['identityRisks']['list']>[1]['after'];
    do {
      const page = await storage().identityRisks.list(98, { limit: 2, after });
      seen.push(...page.items.map(({ identityId }) => identityId));
      after = page.next;
    } while (after !== undefined);
    const [one, top, last, two] = ids as [string, string, string, string];
    expect(seen.filter((id) => ids.includes(id))).toEqual([top, ...[one, two].toSorted(), last]);
  });
}
