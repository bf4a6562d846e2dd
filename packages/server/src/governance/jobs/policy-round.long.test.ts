// 10,000 identities held against policies: one round, paced, in bounded memory.
import { afterAll, expect, test } from 'vitest';
import { openAuthority } from '../../../test/authority.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import { accessRecord, identityRecord, resourceServerRecord } from '../../storage/contract/records.ts';
import { lookForFindingsJob } from './look-for-findings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MANY = 10_000;
const never = new AbortController().signal;

const authority = await openAuthority();
afterAll(() => authority.close());

test('a round over 10,000 identities turns the event loop all along, and a what-if counts them', async () => {
  const { storage, clock, deps } = authority;
  const server = resourceServerRecord({
    scopes: ['create', 'approve'].map((name) => ({ name, description: '', sensitivity: 1 })),
  });
  await storage.resourceServers.insert(server);
  const now = clock.now();
  for (let made = 0; made < MANY; made += 500) {
    await storage.transaction(async (stores) => {
      for (let each = made; each < made + 500; each++) {
        const identity = identityRecord({
          owner: {
            person: `owner ${each % 100}`,
            backup: each % 10 === 0 ? undefined : 'lin',
            team: undefined,
          },
          createdAt: now,
          updatedAt: now,
          stateSince: now,
          expiresAt: now + 300 * DAY,
        });
        await stores.identities.insert(identity);
        const scopes = [each % 1000 === 0 ? 'approve' : 'create'];
        const ends = { createdAt: now, updatedAt: now, expiresAt: now + 200 * DAY };
        await stores.access.insert(accessRecord(identity.id, server.id, { scopes, ...ends }));
      }
    });
  }
  const pairs = [{ one: { scope: 'create' }, other: { scope: 'approve' } }];
  for (const body of [
    { name: 'backups', rule: 'owner_required' },
    { name: 'duties', rule: 'separation_of_duties', parameters: { pairs, across: 'owner' } },
  ]) {
    expect((await authority.call('POST', '/v1/policies', { body })).status).toBe(201);
  }
  const pace = createIssuancePace(now);
  const job = lookForFindingsJob({ ...deps, pace, inactivity: 'report', suspendedForMs: 30 * DAY });
  await job.run(never);
  clock.advance(HOUR);
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const before = process.memoryUsage().heapUsed;
  await job.run(never);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(MANY / 100);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 1_048_576);
  const body = { policy: { rule: 'owner_required' }, limit: 200 };
  const answer = await authority.call('POST', '/v1/policies/what-if', { body });
  expect(answer.body.summary).toMatchObject({ identities: MANY + 1 });
  expect(answer.body.summary.refused).toBeGreaterThanOrEqual(MANY / 10);
  expect(authority.bugs).toEqual([]);
}, 600_000);
