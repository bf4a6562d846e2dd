// Who may act while it is being put to work or ended: RFC 6749 §3.2, §5.2; docs/operate/lifecycle.md.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { beginBrownOut } from '../../registry/change-plan.ts';
import { gradualPlan, USUAL_PHASES } from '../../registry/decommissioning.ts';
import { createFirstProof } from '../../registry/first-proof.ts';
import { type Moving, moveIdentity } from '../../registry/lifecycle.ts';
import { createEndingCallers, type EndingCallers } from '../../registry/use/ending-callers.ts';
import { changed } from '../../storage/contract/records.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { FirstProof } from '../../registry/first-proof.ts';

const MINUTE = 60_000;
const FIRST_PROOF: Partial<IdentityRecord> = { activation: 'first_proof' };
const DAY = 86_400_000;

let scene: TokenScene;
let ending: EndingCallers;
beforeEach(async () => {
  // The scene makes its storage itself: what needs it is handed in behind these.
  const late: { firstProof?: FirstProof } = {};
  scene = await openTokenScene({
    firstProof: (...proof) => late.firstProof?.(...proof) ?? Promise.resolve(),
    ending: { saw: (...call) => ending.saw(...call) },
  });
  ending = createEndingCallers(scene.storage);
  const { changes, clock, random } = scene.deps;
  late.firstProof = createFirstProof({ changes, clock, random });
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const read = async (): Promise<IdentityRecord> =>
  (await scene.storage.identities.byId(scene.identity.id)) as IdentityRecord;
const move = async (moving: Omit<Moving, 'actor' | 'reason'>): Promise<void> => {
  const actor = { identity: 'admin' };
  await scene.deps.changes.run(actor, async (stores, tell) => {
    const record = (await stores.identities.byId(scene.identity.id)) as IdentityRecord;
    await moveIdentity(scene.deps, stores, tell, record, { ...moving, reason: 'x', actor });
  });
};
const from = (agent: string, instance: string) => ({
  headers: ['User-Agent', agent, 'Countersign-Instance', instance],
});
const reasonsOf = (): readonly (string | undefined)[] => scene.strangers.map(({ event }) => event.reason);

test('what ends works in its shadow, is refused in its brown-outs, heals, and is stopped; who called is noted', async () => {
  await move({ move: 'decommission', plan: gradualPlan(USUAL_PHASES, NOW, false) });
  expect((await scene.ask('', from('curl/8.5', 'one'))).status).toBe(200);
  expect((await scene.ask('', from('curl/8.5', 'one'))).status).toBe(200);
  const [issued] = scene.log.events.filter(({ type }) => type === 'token.issued');
  expect(issued?.detail).toBe('{"would_be_refused":"identity_decommissioned"}');

  scene.clock.set(NOW + 3 * DAY);
  const refused = await scene.ask('', from('Go-http-client/2.0', 'two'));
  expect([refused.status, jsonOf(refused).error]).toEqual([401, 'invalid_client']);
  expect(reasonsOf()).toEqual(['identity_brown_out']);
  scene.clock.set(NOW + 3 * DAY + 5 * MINUTE);
  expect((await scene.ask('', from('Go-http-client/2.0', 'two'))).status).toBe(200);

  scene.clock.set(NOW + 6 * DAY);
  expect((await scene.ask('', from('python-requests/2', 'three'))).status).toBe(401);
  expect(reasonsOf().at(-1)).toBe('identity_decommissioned');

  await ending.flush();
  const rows = await scene.storage.endingCallers.ofIdentity(scene.identity.id);
  expect(
    rows.map((row) => [row.phase, row.instance, row.agent, row.resourceServer, row.letThrough, row.refused]),
  ).toEqual([
    ['stopped', 'three', 'python', scene.server.identifier, 0, 1],
    ['brown_out', 'two', 'go', scene.server.identifier, 1, 1],
    ['shadow', 'one', 'curl', scene.server.identifier, 2, 0],
  ]);
  expect(rows[0]?.source).toBe('192.0.2.7');
});

test('a brown-out takes the tokens that are there with it, and what is issued afterwards is good', async () => {
  await move({ move: 'decommission', plan: gradualPlan(USUAL_PHASES, NOW, false) });
  scene.clock.set(NOW + 3 * DAY - MINUTE);
  const before = jsonOf(await scene.ask()).access_token;
  scene.clock.set(NOW + 3 * DAY);
  await scene.deps.changes.run({ identity: 'countersign' }, async (stores, tell) => {
    const record = (await stores.identities.byId(scene.identity.id)) as IdentityRecord;
    await beginBrownOut(scene.deps, stores, tell, record, { identity: 'countersign' });
  });
  scene.clock.set(NOW + 3 * DAY + 5 * MINUTE);
  const after = jsonOf(await scene.ask()).access_token;
  expect(jsonOf(await scene.about('/oauth/introspect', before))).toEqual({ active: false });
  expect(jsonOf(await scene.about('/oauth/introspect', after))).toMatchObject({ active: true });
});

test('what was cut off does not work on in its shadow', async () => {
  await move({ move: 'decommission', plan: gradualPlan(USUAL_PHASES, NOW, false) });
  await move({ move: 'suspend', security: true });
  expect((await scene.ask()).status).toBe(401);
  expect(await read()).toMatchObject({ state: 'decommissioning', decommissioning: { phase: 'stopped' } });
});

test('an approved identity becomes active with its first proof where that was asked for, once, and is told of', async () => {
  await scene.storage.identities.replace(
    changed(scene.identity, { state: 'approved', stateSince: NOW, ...FIRST_PROOF }),
  );
  expect((await scene.ask('', { authorization: 'Basic cGF5bWVudHM6d3Jvbmc=' })).status).toBe(401);
  expect((await read()).state).toBe('approved');
  const answers = await Promise.all([scene.ask(), scene.ask(), scene.ask()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await read()).toMatchObject({ state: 'active', version: 3 });
  const begun = scene.log.events.filter(({ type }) => type === 'identity.activated');
  expect(begun).toMatchObject([{ identity: 'payments', credential: scene.credential.id }]);
});

test('where it was not asked for, or its time is over, a proof alone puts nobody to work', async () => {
  await scene.storage.identities.replace(changed(scene.identity, { state: 'approved', stateSince: NOW }));
  expect((await scene.ask()).status).toBe(401);
  await scene.storage.identities.replace(changed(await read(), { expiresAt: NOW + 1000, ...FIRST_PROOF }));
  scene.clock.set(NOW + 2000);
  expect((await scene.ask()).status).toBe(401);
  expect((await read()).state).toBe('approved');
});

test('suspended while tokens are being issued: none outlives it, and none follows', async () => {
  const asking = Array.from({ length: 30 }, () => scene.ask());
  await move({ move: 'suspend' });
  const answers = await Promise.all(asking);
  const tokens = answers.filter(({ status }) => status === 200).map((answer) => jsonOf(answer).access_token);
  expect(answers.every(({ status }) => status === 200 || status === 401)).toBe(true);
  const [order] = await scene.storage.cutoffs.after(0, 10);
  for (const token of tokens) {
    const { iat } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    expect(iat).toBeLessThan(order?.notBefore ?? 0);
  }
  expect((await scene.ask()).status).toBe(401);
  expect(scene.log.events.filter(({ type }) => type === 'identity.suspended')).toHaveLength(1);
  expect(scene.log.events.filter(({ type }) => type === 'token.issued')).toHaveLength(tokens.length);
});
