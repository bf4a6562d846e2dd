// What a request keeps in memory while it waits for its answer: RFC 9112 §9.3.2 lets others come behind it.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { type EdgeScene, openEdge, requestText } from '../../test/edge-scene.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let scene: EdgeScene | undefined;
afterEach(() => scene?.close());

it.each<[string, boolean]>([
  ['whole', false],
  ['in pieces', true],
])(
  'a body that came %s and was let go of is in memory no more, though its answer is owed',
  async (_what, inPieces) => {
    scene = await openEdge();
    const { seen, port } = scene;
    const text = requestText('POST /oauth/token?slow', [], 'x'.repeat(500));
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(inPieces ? text.slice(0, -250) : text);
    if (inPieces) {
      await sleep(50);
      socket.write(text.slice(-250));
    }
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]?.body).toHaveLength(500);
    const body = new WeakRef(seen[0]?.body ?? new Uint8Array());
    seen[0]?.letGoOfBody?.();
    await sleep(10);
    collect();
    expect(body.deref()).toBeUndefined();
    expect(seen[0]?.body).toHaveLength(0);
    socket.destroy();
  },
);
