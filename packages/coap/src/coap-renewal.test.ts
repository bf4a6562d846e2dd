// Rights that change while a session lives, seen by programs that nobody here wrote: RFC 9202 §4, §5.
import { ACE, CNF, INTROSPECTION } from '@countersign/cose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT, LOCK } from '../test/authority.ts';
import { ALERTS, CLIENTS, type CoapRun, codesIn, LIBCOAP, until } from '../test/coap-client.ts';
import { type CoapScene, openCoapScene } from '../test/coap-scene.ts';

const READY = BUILT && LIBCOAP;
if (!READY && process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('needs a build and libcoap3-bin');

describe.skipIf(!READY)('a device (needs a build, and libcoap3-bin)', { timeout: 90_000 }, () => {
  let scene: CoapScene;
  beforeAll(async () => {
    scene = await openCoapScene();
  });
  afterAll(() => scene.stop());

  const observing = (client: string, token: Parameters<CoapScene['request']>[1]): CoapRun =>
    scene.request(client, token, '/time', ['-s', '300', '-B', '300']);
  const goesOn = async (run: CoapRun): Promise<void> => {
    const seen = codesIn(run.out()).length;
    await until(() => codesIn(run.out()).length > seen);
    expect(codesIn(run.out()).at(-1)).toBe('2.05');
  };
  const end = async (...runs: readonly CoapRun[]): Promise<void> => {
    for (const run of runs) run.child.kill('SIGTERM');
    await Promise.all(runs.map(({ ended }) => ended));
  };

  // Beside one another: most of it is waiting for what ends by itself.
  describe.concurrent.each(CLIENTS)('with %s', (client) => {
    it('renews its rights in a live session, which goes on past the end of the first token', async () => {
      const device = await scene.authority.device('renewing', ['lock:read'], { tokenLifetime: 15 });
      const first = await scene.authority.token(device);
      const firstEnds = Date.now() + 16_000;
      await scene.upload(first.token);
      const live = observing(client, first);
      // So far in the first that the second outlives it by several seconds.
      await until(() => codesIn(live.out()).length >= 7, 14_000);
      const second = await scene.authority.renew(device, first, 'lock:read');
      expect(codesIn(await scene.upload(second.token))).toContain('2.01');
      await until(() => Date.now() > firstEnds, 20_000);
      await goesOn(live);
      expect(codesIn(live.out())).not.toContain('4.01');
      expect(codesIn(await scene.upload(first.token))).toContain('4.01');
      await until(() => codesIn(live.out()).includes('4.01'), 30_000);
      await end(live);
    });

    it('whose rights become narrower is told at once, others go on, and the key stays good for the rest', async () => {
      const { authority } = scene;
      const device = await authority.device('narrowed', ['lock:read', 'lock:write']);
      const wide = await authority.token(device);
      const other = await authority.token(await authority.device('beside', ['lock:read']));
      for (const { token } of [wide, other]) await scene.upload(token);
      const [live, beside] = [observing(client, wide), observing(client, other)];
      await until(() => codesIn(live.out()).includes('2.05') && codesIn(beside.out()).includes('2.05'));
      const narrow = await authority.renew(device, wide, 'lock:write');
      expect(codesIn(await scene.upload(narrow.token))).toContain('2.01');
      await until(() => codesIn(live.out()).includes('4.03'));
      await goesOn(beside);
      const write = ['-B', '3', '-m', 'put', '-e', 'x'];
      const put = await scene.request(client, wide, '/example_data', write).ended;
      expect(codesIn(put.out)[0]).toMatch(/^2\.0[14]$/);
      const read = await scene.request(client, wide, '/time').ended;
      expect(codesIn(read.out)).toEqual(['4.03']);
      // Whoever has kept the wide one does not open it again.
      expect(codesIn(await scene.upload(wide.token))).toContain('4.01');
      await end(live, beside);
    });

    it('with a token for another resource server gets 4.03, and no session', async () => {
      const { authority } = scene;
      const identifier = `coaps://${client}.test`;
      await authority.admin('POST', '/resource-servers', {
        identifier,
        name: client,
        scopes: [{ name: 'lock:read' }],
        token: { format: 'cwt' },
      });
      const device = await authority.device('lost', ['lock:read'], { resource: identifier });
      const token = await authority.token(device, undefined, identifier);
      expect(codesIn(await scene.upload(token.token))).toContain('4.03');
      const run = await scene.request(client, token, '/time').ended;
      expect(run.out).toContain(ALERTS[client].nobody);
    });
  });

  it('asks about its token in CBOR, and ends its session itself when it revokes it', async () => {
    const { authority } = scene;
    const device = await authority.device('revoking', ['lock:read']);
    const token = await authority.token(device);
    await scene.upload(token.token);
    const live = observing(CLIENTS[0], token);
    await until(() => codesIn(live.out()).includes('2.05'));
    const told = await authority.introspect(device, token.token);
    expect([told.get(INTROSPECTION.active), told.get(INTROSPECTION.scope)]).toEqual([true, 'lock:read']);
    await authority.revoke(device, token.token);
    await until(() => codesIn(live.out()).includes('4.01'));
    expect([...(await authority.introspect(device, token.token))]).toEqual([[INTROSPECTION.active, false]]);
    await end(live);
  });

  it('cannot have the rights of another put under its own key, nor its own under that of another', async () => {
    const { authority } = scene;
    const [victim, thief] = [
      await authority.device('victim', ['lock:read']),
      await authority.device('thief', ['lock:read', 'lock:write']),
    ];
    const theirs = await authority.token(victim);
    const asked = await authority.ask(thief, [
      [ACE.audience, LOCK],
      [ACE.reqCnf, new Map([[CNF.kid, theirs.kid]])],
    ]);
    expect([asked.status, asked.map.get(ACE.error)]).toEqual([400, 7]);
  });
});
