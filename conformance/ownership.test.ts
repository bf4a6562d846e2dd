import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { type Admin, identityBody, openAdmin } from './wire/admin.ts';
import { expectProblem } from './wire/expectations.ts';
import { freshName } from './wire/scene.ts';

// Who answers for what: people, offers, leavers. An authority of its own, for a directory concerns every identity there is.
const WITHIN = { timeout: 60_000, interval: 250 };

describe.each(['off', 'required'] as const)('owners, accepting %s', (acceptance) => {
  let folder: string;
  let authority: RunningAuthority;
  let admin: Admin;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-owners-'));
    authority = await startAuthority({ folder, env: { COUNTERSIGN_OWNER_ACCEPTANCE: acceptance } });
    admin = openAdmin(authority.target);
    const csv = [
      'handle,name,email,manager',
      'ada,Ada Lovelace,ada@example.com,grace',
      'grace,"Hopper, Grace",grace@example.com,',
      "lin,'=1+1,lin@example.com,grace",
      'kim,<script>alert(1)</script>,,grace',
    ].join('\r\n');
    await admin.must('POST', '/people/import', { csv });
    await admin.must('POST', '/teams', { name: 'crew', members: ['ada', 'lin'], lead: 'grace' });
  }, 60_000);
  afterAll(async () => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const create = async (owner: object): Promise<string> => {
    const name = freshName('owned');
    await admin.must('POST', '/identities', { ...identityBody(name), client_id: name, owner });
    return name;
  };
  const show = (name: string): Promise<Record<string, unknown>> => admin.must('GET', `/identities/${name}`);

  test('an imported name is text, whatever a sheet or a page would make of it', async () => {
    const answer = await admin.call('GET', '/people?limit=200');
    expect(answer.headers['content-type']).toBe('application/json');
    const people = await admin.all('/people');
    expect(people.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['=1+1', '<script>alert(1)</script>', 'Hopper, Grace']),
    );
  });

  test('one bad row of a file is named by line and column, and changes nothing', async () => {
    const csv = 'handle,name\nnew1,New\nnew2,"a\u001b[31m"\n';
    const answer = await admin.call('POST', '/people/import', { body: { csv } });
    expectProblem(answer, 400);
    expect(answer.text).toContain('line 3, column 2 (name)');
    expect((await admin.call('GET', '/people/new1')).status).toBe(404);
    const skipped = await admin.must('POST', '/people/import', { csv, skip_bad_rows: true });
    expect(skipped).toMatchObject({ created: 1, bad_row_count: 1 });
  });

  test('another owner is accountable once they accept, or at once where nobody has to', async () => {
    const name = await create({ person: 'ada', backup: 'kim' });
    const answer = await admin.change('PATCH', `/identities/${name}`, { owner: { person: 'lin' } });
    expect(answer.status).toBe(200);
    const shown = await show(name);
    const offers = await admin.all(`/ownership-offers?identity=${name}`);
    if (acceptance === 'off') {
      expect([shown['owner'], offers]).toEqual([{ person: 'lin', backup: 'kim', team: null }, []]);
      return;
    }
    expect(shown).toMatchObject({
      owner: { person: 'ada' },
      ownership: { offer: { to: 'lin', state: 'open' } },
    });
    const [offer] = offers;
    // A machine decides nothing, whatever it holds.
    for (const verb of ['accept', 'decline']) {
      const path = `/ownership-offers/${String(offer?.['id'])}/${verb}`;
      expectProblem(await admin.call('POST', path, { body: {} }), 403);
    }
    await admin.must('POST', `/ownership-offers/${String(offer?.['id'])}/withdraw`, {});
    expect((await show(name))['ownership']).toBeUndefined();
  });

  test('of two who are offered it at once one is asked, and the other offer is withdrawn', async () => {
    const name = await create({ person: 'ada' });
    const to = ['lin', 'kim'];
    const answers = await Promise.all(
      to.map((person) => admin.call('POST', `/identities/${name}/offers`, { body: { to: person } })),
    );
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const offers = await admin.all(`/ownership-offers?identity=${name}`);
    const open = offers.filter(({ state }) => state === 'open');
    expect(open).toHaveLength(acceptance === 'off' ? 0 : 1);
    if (acceptance === 'off')
      expect(to).toContain(((await show(name))['owner'] as { person: string }).person);
  });

  test('who leaves has a stand-in at once, a clock, and a finding; who comes back owns it again', async () => {
    const name = await create({ person: 'ada', backup: 'lin', team: 'crew' });
    await admin.change('PATCH', '/people/ada', { status: 'left' });
    const shown = await show(name);
    const { clock } = shown['ownership'] as { clock: Record<string, string> };
    expect(shown['owner']).toEqual({ person: 'lin', backup: null, team: 'crew' });
    expect(clock).toMatchObject({ person: 'ada', interim: 'lin' });
    expect(Date.parse(clock['suspends_at'] ?? '') - Date.parse(clock['since'] ?? '')).toBe(14 * 86_400_000);
    const found = async (): Promise<unknown[]> =>
      (await admin.all(`/findings?identity=${name}&kind=orphaned&state=open`)).map(
        ({ severity }) => severity,
      );
    await expect.poll(found, WITHIN).toEqual(['medium']);
    expectProblem(
      await admin.call('POST', '/identities', {
        body: { ...identityBody(freshName('late')), owner: { person: 'ADA' } },
      }),
      409,
    );
    await admin.change('PATCH', '/people/ada', { status: 'active' });
    expect((await show(name))['owner']).toEqual({ person: 'ada', backup: 'lin', team: 'crew' });
    expect((await show(name))['ownership']).toBeUndefined();
    await expect.poll(found, WITHIN).toEqual([]);
  });

  test('somebody leaves while all that they own is handed over: everything has somebody who is there', async () => {
    const names = [];
    for (let n = 0; n < 10; n++) names.push(await create({ person: 'kim', backup: 'lin' }));
    const [left, handed] = await Promise.all([
      admin.change('PATCH', '/people/kim', { status: 'left' }),
      admin.call('POST', '/people/kim/hand-over', { body: { to: 'grace' } }),
    ]);
    expect([left.status, handed.status]).toEqual([200, 200]);
    for (const name of names) {
      const shown = await show(name);
      const { person } = shown['owner'] as { person: string };
      if (acceptance === 'off') expect([person, shown['ownership']]).toEqual(['grace', undefined]);
      else {
        expect(person).toBe('lin');
        expect(shown['ownership']).toMatchObject({ clock: { person: 'kim' }, offer: { to: 'grace' } });
      }
    }
    const team = await admin.must('GET', '/teams/crew');
    expect(team).toMatchObject({ bus_factor: expect.any(Number) as number });
  });

  test('what is exported applies without a change', async () => {
    const { documents } = await admin.must('GET', '/export');
    const kinds = new Set((documents as { kind: string }[]).map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['Person', 'Team', 'Identity']));
    const plan = await admin.must('POST', '/apply?dry_run=true', { documents });
    expect(plan['changes']).toEqual([]);
  });
});
