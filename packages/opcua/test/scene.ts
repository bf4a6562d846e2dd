// What most tests need: a press that takes the tokens of an authority in this process, and two applications that it trusts.
import { createVerifier, type Verifier } from '@countersign/resource-server';
import { createTestIssuer, type TestIssuer } from '@countersign/resource-server/testing';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { loadPeer, PEER_TIMEOUT_MS } from './peer.ts';
import {
  type Application,
  openRaw,
  Plant,
  type PlantOptions,
  PRESS,
  type Press,
  type RawSession,
  type Seal,
  sealed,
} from './plant.ts';

const peer = await loadPeer();

export class Scene {
  /** node-opcua, untyped. */
  readonly opcua = peer.opcua;
  plant!: Plant;
  issuer!: TestIssuer;
  verifier!: Verifier;
  press!: Press;
  machine!: Application;
  panel!: Application;
  historian!: Application;
  readonly opened: RawSession[] = [];

  /** The identity token of a token with these scopes. */
  async withScope(scope: string, claims: object = {}): Promise<Seal> {
    return sealed(this.opcua, await this.issuer.token({ scope, ...claims }));
  }

  /** A session of the panel, ended after the test. */
  async session(seal: Seal, how?: Parameters<typeof openRaw>[4], who = this.panel): Promise<RawSession> {
    const opened = await openRaw(this.opcua, this.press.url, who, seal, how);
    this.opened.push(opened);
    return opened;
  }

  /** The status with which a session is refused; `Good` where it is not. */
  async refusal(seal: Seal, how?: Parameters<typeof openRaw>[4], who = this.panel): Promise<string> {
    return await this.session(seal, how, who).then(
      () => 'Good',
      (error: Error) => error.message,
    );
  }

  /** The last reason that the server gave its operator. */
  lastReason(): string | undefined {
    return this.press.events.filter(({ reason }) => reason !== undefined).at(-1)?.reason;
  }
}

/** For the top of a file of tests. They are skipped where node-opcua cannot be had. */
export function openScene(options: PlantOptions = {}): Scene {
  const scene = new Scene();
  beforeAll(async () => {
    if (scene.opcua === undefined) return;
    scene.plant = new Plant(scene.opcua);
    scene.issuer = await createTestIssuer({ audience: PRESS });
    scene.verifier = createVerifier({ ...scene.issuer.options, audience: PRESS, leeway: 0 });
    scene.machine = await scene.plant.application(PRESS);
    scene.panel = await scene.plant.application('urn:plant.example:panel');
    scene.historian = await scene.plant.application('urn:plant.example:historian');
    for (const application of [scene.panel, scene.historian]) {
      await scene.plant.trust(scene.machine, application);
      await scene.plant.trust(application, scene.machine);
    }
    scene.press = await scene.plant.press(scene.machine, scene.verifier, options);
  }, PEER_TIMEOUT_MS);
  beforeEach((context) => {
    if (scene.opcua === undefined) context.skip(peer.absent);
  });
  afterEach(async () => {
    for (const session of scene.opened.splice(0)) await session.close();
  });
  afterAll(async () => {
    await scene.plant?.close();
    await scene.verifier?.close();
  });
  return scene;
}
