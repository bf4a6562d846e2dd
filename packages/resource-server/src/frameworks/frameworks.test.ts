// One table of requests against every framework, itself and at its current version: the same answers everywhere.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGrpc } from '../../test/frameworks/grpc-server.ts';
import { HTTP_SERVERS, type Running, type Start } from '../../test/frameworks/http-servers.ts';
import { CASES } from '../../test/frameworks/requests.ts';
import { startWorld, type World } from '../../test/frameworks/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const servers: [name: string, start: Start][] = [...Object.entries(HTTP_SERVERS), ['gRPC', startGrpc]];

describe.each(servers)('%s', (framework, start) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(world.verifier);
  });
  afterAll(() => running.close());

  it.each(CASES.filter(({ only }) => framework !== 'gRPC' || only === undefined))(
    '$name',
    async ({ run, expected }) => {
      const right = typeof expected === 'function' ? expected(world) : expected;
      const reply = await run(running.served, world);
      expect(reply).toMatchObject(framework.startsWith('MCP') ? withScope(right) : right);
    },
  );
});

/** The MCP authorization specification: whoever has no good token is told what to ask for. */
function withScope<T extends { readonly status?: number; readonly challenge?: string | undefined }>(
  right: T,
): T {
  if (right.status !== 401 || right.challenge === undefined) return right;
  return { ...right, challenge: `${right.challenge}, scope="fraud:read"` };
}

it('a gRPC method for which no scope is named is refused to everybody', async () => {
  const { served, close } = await startGrpc(world.verifier);
  const headers = [['Authorization', `Bearer ${world.tiny.token()}`]] as const;
  expect(await served.ask({ headers, path: '/fraud.Cases/Delete' })).toMatchObject({ status: 403 });
  await close();
});
