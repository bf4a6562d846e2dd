import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVerifier, fetchTrusting, type Verifier } from '@countersign/resource-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../../test/real-authority.ts';

const API = 'https://fraud.example';
const folder = mkdtempSync(join(tmpdir(), 'countersign-drill-'));
let authority: RealAuthority;
let verifiers: Verifier[];

beforeAll(async () => {
  authority = await startRealAuthority(folder);
  for (const [identifier, scope] of [
    [API, 'fraud:read'],
    ['https://idle.example', 'idle:read'],
  ] as const) {
    const create = [
      'resource-servers',
      'create',
      '--identifier',
      identifier,
      '--name',
      scope,
      '--scope',
      scope,
    ];
    expect(await authority.run(create)).toMatchObject({ code: 0 });
  }
}, 60_000);
afterAll(async () => {
  for (const verifier of verifiers ?? []) await verifier.close();
  await authority.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('without a verifier that follows there is nothing to drill', async () => {
  const { code, err } = await authority.run(['cutoff', 'drill']);
  expect(code).toBe(1);
  expect(err).toContain('No verifier is connected');
});

test('a drill measures until every connected verifier has confirmed, records it, and leaves nothing that works', async () => {
  const ready = JSON.parse(readFileSync(join(folder, '.countersign/ready.json'), 'utf8'));
  const ca = fetchTrusting(readFileSync(ready.ca_file, 'utf8'));
  verifiers = [1, 2, 3].map(() => createVerifier({ issuer: ready.issuer, audience: API, fetch: ca }));
  await Promise.all(verifiers.map((each) => each.ready()));
  const plan = await authority.run(['cutoff', 'drill', '--dry-run']);
  expect(plan.err).toContain(`${API} (3 connected)`);

  const { code, out, err } = await authority.run(['cutoff', 'drill', '-o', 'json']);
  expect(code, err).toBe(0);
  const drill = JSON.parse(out);
  expect(drill).toMatchObject({
    all_confirmed: true,
    resource_servers: [{ identifier: API, confirmed: 3, waiting: 0, silent: 0 }],
  });
  for (const name of ['refused_ms', 'issuance_stopped_ms', 'slowest_exposure_ms']) {
    expect(drill[name], name).toBeGreaterThanOrEqual(0);
    expect(drill[name], name).toBeLessThan(2000);
  }

  const shown = await authority.run(['cutoff', 'show', drill.cutoff]);
  expect(shown.out).toContain('by every verifier that follows');
  expect(shown.out).toMatch(/CONFIRMED +WAITING/);
  const order = JSON.parse((await authority.run(['cutoff', 'show', drill.cutoff, '-o', 'json'])).out);
  const machine = JSON.parse((await authority.run(['identities', 'get', order.target, '-o', 'json'])).out);
  expect(machine.state).toMatch(/^decommission/);
  const events = await authority.run(['audit', 'events', '--type', 'cutoff.drilled', '-o', 'json']);
  expect(JSON.parse(events.out)).toMatchObject([{ resource: drill.cutoff, detail: { after: drill } }]);
});

test('a drill at an API whose verifiers do not follow proves nothing, and says so', async () => {
  const { code, out, err } = await authority.run(['cutoff', 'drill', '--to', 'https://idle.example']);
  expect(code).toBe(1);
  expect(out).toMatch(/all confirmed +nobody follows/);
  expect(err).toContain('No verifier of https://idle.example follows the cut-off feed');
});

test('what would be cut off is shown with its worst case first', async () => {
  const connect = 'connect payments --to https://fraud.example --scopes fraud:read --owner ada --for 9d';
  expect((await authority.run([...connect.split(' '), '--secret-file', join(folder, 's')])).code).toBe(0);
  const order = ['cutoff', 'create', '--kind', 'identity', '--id', 'payments', '--reason', 'leak'];
  const { code, err } = await authority.run(order);
  expect(code).toBe(6);
  expect(err).toContain('It reaches:');
  expect(err).toMatch(/https:\/\/fraud\.example +feed +3 +0 +600 s +15 s/);
  expect(err).toContain('Worst case: 15 s');
  const lifted = await authority.run(['cutoff', 'lift', 'cut_00000000000000000000', '--reason', 'x']);
  // People decide that; the command calls as a machine here.
  expect(lifted.code).toBe(4);
});
