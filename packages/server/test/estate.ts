import { ownerAcceptance } from '../src/registry/owner/acceptance.ts';
import type { AccessRecord } from '../src/storage/access.ts';
import type { CredentialRecord } from '../src/storage/credentials.ts';
import type { IdentityRecord } from '../src/storage/identities.ts';
import { type Authority, openAuthority, resourceServerBody } from './authority.ts';
import { bytesOf, chanceOf } from './estate-chance.ts';
import { governanceOf } from './estate-governance.ts';
import { jobsOf } from './estate-jobs.ts';
import { APIS, CHIEFS, DAY, everything, SCOPES, SENSITIVE, worldOf } from './estate-world.ts';

/** How often (days) what works at a cadence calls. */
const CALLS_EVERY = {
  continuous: 1,
  daily: 1,
  weekly: 7,
  monthly: 30,
  quarterly: 90,
  annual: 365,
  on_demand: 40,
};
/** What becomes of something that is being decommissioned; on most days nothing does. */
const TURNS = [...Array<undefined>(47), 'keep', 'restore', 'decommissioning/skip'] as const;
/** They look at everything, and what they find changes nothing by itself. */
const WEEKLY: ReadonlySet<string> = new Set(['look-for-findings', 'right-size']);
/** An organisation whose machines and people come, work, forget, move and go: each day as chance, and nothing else, has it. */
export interface Estate {
  readonly authority: Authority;
  /** What people and machines do on one day; then it is the next one, and the authority has done its work. */
  live(): Promise<void>;
  /** Status codes of what was asked of the admin API, by operation. */
  readonly answers: ReadonlyMap<string, number>;
}

export async function openEstate(most: number, seed: number): Promise<Estate> {
  const authority = await openAuthority({
    ownerAcceptance: ownerAcceptance('required'),
    random: bytesOf(seed),
  });
  const { clock, storage } = authority;
  const world = worldOf(authority, chanceOf(seed));
  const { chance, answers, ask, day } = world;
  const governed = governanceOf(world);
  /** Nobody who made them remembers these. */
  const forgotten = new Set<string>();
  const jobs = jobsOf(authority);
  let today = 0;
  let made = 0;
  let hired = 0;

  async function hire(people: number): Promise<void> {
    const rows = Array.from({ length: people }, () => ({
      handle: `person-${++hired}`,
      name: `Person ${hired}`,
      manager: chance.oneOf(CHIEFS),
    }));
    await ask('POST', '/v1/people/import', { rows });
  }
  const staff = async (): Promise<readonly string[]> =>
    (await everything((page) => storage.people.list({ status: 'active' }, page))).map(({ handle }) => handle);

  async function begin(): Promise<void> {
    await ask('POST', '/v1/people/import', { rows: CHIEFS.map((handle) => ({ handle, name: handle })) });
    await hire(Math.ceil(most / 15));
    for (let team = 0; team < Math.ceil(most / 60); team++) {
      const members = [1, 2, 3, 4].map((each) => `person-${1 + ((4 * team + each) % hired)}`);
      await ask('POST', '/v1/teams', { name: `team-${team}`, members, lead: chance.oneOf(CHIEFS) });
    }
    for (const api of APIS) {
      const { scopes, ...rest } = resourceServerBody(api, SCOPES) as { scopes: object[] };
      await ask('POST', '/v1/resource-servers', {
        ...rest,
        scopes: scopes.map((each, sensitivity) => ({ ...each, sensitivity })),
      });
    }
    const steps = [{ quorum: 2, roles: ['approver'] }];
    await ask('POST', '/v1/approval-rules', { name: 'access', match: { min_sensitivity: SENSITIVE }, steps });
    const match = { environments: ['prod'], min_sensitivity: SENSITIVE };
    await ask('POST', '/v1/approval-rules', { name: 'identities', subject: 'identity', match, steps });
  }

  async function arrive(live: number, people: readonly string[]): Promise<void> {
    const wanted = Math.min(most - live, Math.ceil(most / 40));
    for (let each = 0; each < wanted; each++) {
      const person = chance.oneOf(people);
      const name = `machine-${++made}`;
      const answer = await ask('POST', '/v1/identities', {
        name,
        client_id: name,
        kind: chance.oneOf(['service', 'job', 'pipeline', 'device', 'agent']),
        environment: chance.oneOf(['dev', 'test', 'staging', 'prod']),
        purpose: 'is simulated',
        sensitivity: chance.upTo(4),
        cadence: chance.oneOf(Object.keys(CALLS_EVERY)),
        owner: {
          person,
          backup: chance.oneOf(people.filter((other) => other !== person)),
          team: `team-${chance.upTo(Math.ceil(most / 60))}`,
        },
        expires_at: day(10 + chance.upTo(350)),
        ...(chance.is(0.05) && { state: 'draft' }),
      });
      if (answer.status === 201 && chance.is(0.1)) forgotten.add(name);
      if (answer.body.state === 'draft' && chance.is(0.6))
        await ask('POST', `/v1/identities/${name}/submit`, {});
    }
  }

  async function decide(): Promise<void> {
    for (const request of await everything((page) => storage.approvals.list({ state: 'pending' }, page))) {
      const verb = chance.is(0.1) ? 'reject' : 'approve';
      for (const chief of CHIEFS) {
        if (!chance.is(0.5)) continue;
        const body = { content_hash: request.contentHash, comment: 'seen' };
        await ask('POST', `/v1/approvals/${request.id}/${verb}`, body, [chief, 'approver']);
      }
    }
  }

  /** What whoever looks after a machine does with it on one day. */
  async function tend(record: IdentityRecord, held: Held): Promise<void> {
    const { clientId, state } = record;
    const at = `/v1/identities/${clientId}`;
    const reason = 'as it came about';
    if (state === 'approved' && chance.is(0.5)) await ask('POST', `${at}/activate`, {});
    if (state === 'suspended') {
      if (record.expiresAt <= clock.now() && chance.is(0.3)) await ask('PATCH', at, { expires_at: day(120) });
      if (chance.is(0.15)) await ask('POST', `${at}/resume`, { reason }, [chance.oneOf(CHIEFS), 'admin']);
      else if (chance.is(0.1)) await ask('POST', `${at}/decommission`, { reason });
    }
    if (state === 'decommissioning') {
      const turn = chance.oneOf(TURNS);
      if (turn !== undefined) await ask('POST', `${at}/${turn}`, { reason });
    }
    if (state !== 'active') return;
    await work(record, held);
    if (forgotten.has(clientId)) return;
    if (record.expiresAt < clock.now() + 10 * DAY && chance.is(0.3))
      await ask('PATCH', at, { expires_at: day(200) });
    if (chance.is(1 / 400)) await ask('POST', `${at}/decommission`, { reason, force: true });
    else if (chance.is(1 / 800)) await ask('POST', `${at}/suspend`, { reason });
    else if (chance.is(1 / 1500))
      await ask('POST', '/v1/cutoffs', { kind: 'identity', id: clientId, reason: 'leaked' });
    else if (chance.is(1 / 200)) await ask('PATCH', at, { owner: { person: chance.oneOf(await staff()) } });
  }

  async function work({ id, clientId, cadence, owner }: IdentityRecord, held: Held): Promise<void> {
    const credentials = held.credentials.get(id) ?? [];
    const access = held.access.get(id) ?? [];
    const [newest] = credentials.slice(-1);
    if (newest === undefined || chance.is(1 / 300))
      await ask('POST', `/v1/identities/${clientId}/credentials`, {
        type: 'client_secret',
        ...(chance.is(0.3) && { expires_at: day(8 + chance.upTo(60)) }),
      });
    else if (chance.is(1 / 60)) {
      const overlap = chance.oneOf(['1d', '7d', '30d']);
      await ask('POST', `/v1/credentials/${newest.id}/rotate`, { overlap });
    }
    const [oldest] = credentials;
    // What was rotated ends by itself.
    if (credentials.length > 1 && oldest?.successor === undefined)
      await ask('DELETE', `/v1/credentials/${oldest?.id}`);
    if (access.length === 0 || chance.is(1 / 150)) {
      const from = chance.upTo(SCOPES.length);
      const wish = {
        identity: clientId,
        resource_server: chance.oneOf(APIS),
        scopes: SCOPES.slice(from, from + 1 + chance.upTo(2)),
        justification: 'is simulated',
        expires_at: day(5 + chance.upTo(200)),
      };
      await ask(
        'POST',
        '/v1/access',
        wish,
        chance.is(0.3) && held.here.has(owner.person) ? [owner.person, 'owner'] : undefined,
      );
    } else if (chance.is(1 / 120)) {
      const scopes = [chance.oneOf(SCOPES)];
      await ask('PATCH', `/v1/access/${chance.oneOf(access).id}`, { scopes });
    }
    if (newest !== undefined && !forgotten.has(clientId) && chance.is(1 / CALLS_EVERY[cadence]))
      await storage.credentialUse.note(newest.id, clock.now());
  }

  /** Read once a day: nobody takes from others what they tend. */
  async function heldToday(people: readonly string[]): Promise<Held> {
    const active = { state: 'active' } as const;
    return {
      here: new Set(people),
      credentials: byIdentity(await everything((page) => storage.credentials.list(active, page))),
      access: byIdentity(await everything((page) => storage.access.list(active, page))),
    };
  }

  async function move(people: readonly string[]): Promise<void> {
    for (const handle of people) {
      if (handle.startsWith('person') && chance.is(1 / 400))
        await ask('PATCH', `/v1/people/${handle}`, { status: 'left' });
    }
    const here = new Set(await staff());
    const missing = Math.ceil(most / 15) + CHIEFS.length - here.size;
    if (missing > 0) await hire(missing);
    for (const offer of await everything((page) => storage.ownershipOffers.list({ state: 'open' }, page))) {
      if (!chance.is(0.2)) continue;
      const verb = chance.is(0.9) ? 'accept' : 'decline';
      if (!here.has(offer.candidate)) continue;
      await ask('POST', `/v1/ownership-offers/${offer.id}/${verb}`, {}, [offer.candidate, 'owner']);
    }
    for (const { identityId, interim } of await runningClocks()) {
      if (interim !== undefined && chance.is(0.1))
        await ask('POST', `/v1/identities/${identityId}/offers`, { to: interim, reason: 'stands in' });
    }
  }

  async function runningClocks() {
    const gone = await everything((page) => storage.people.list({ status: 'left' }, page));
    return (
      await Promise.all(gone.map(({ handle }) => storage.ownershipClocks.ofPerson(handle, 500)))
    ).flat();
  }

  await begin();
  await governed.begin();
  return {
    authority,
    answers,
    async live() {
      world.morning();
      // The first secret has a week, and the others their method's maximum age.
      if (today++ % 60 === 0)
        await ask('POST', '/v1/identities/admin/credentials', { type: 'client_secret' });
      const people = await staff();
      const identities = await everything((page) => storage.identities.list({}, page));
      const ended = new Set(['decommissioned', 'rejected', 'lapsed']);
      const there = identities.filter(({ state, builtIn }) => !builtIn && !ended.has(state));
      await arrive(there.length, people);
      await decide();
      const held = await heldToday(people);
      for (const record of there) await tend(record, held);
      await move(people);
      await governed.live(today);
      clock.advance(DAY);
      for (const job of jobs) {
        if (today % 7 === 0 || !WEEKLY.has(job.name)) await job.run(new AbortController().signal);
      }
    },
  };
}

/** Who is there, and what is active, by the id of its identity, oldest first. */
interface Held {
  readonly here: ReadonlySet<string>;
  readonly credentials: ReadonlyMap<string, readonly CredentialRecord[]>;
  readonly access: ReadonlyMap<string, readonly AccessRecord[]>;
}

function byIdentity<T extends { readonly identityId: string }>(records: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const record of records) {
    const known = found.get(record.identityId);
    if (known === undefined) found.set(record.identityId, [record]);
    else known.push(record);
  }
  return found;
}
