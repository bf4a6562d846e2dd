import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAuthority, type RunningAuthority } from './authority-process.ts';
import { expectToken } from './wire/expectations.ts';
import { speakRaw, tokenRequestText } from './wire/raw-socket.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken, basic, FORM } from './wire/token-request.ts';

// Callers that take their time are cut off after the time that the settings give them. In a process of its own, with short times.
describe.runIf(mayStartServers())('threat 35: slow callers (needs the countersign command)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-slow-'));
  const WITHIN_MS = 8000;
  let authority: RunningAuthority;
  let scene: SeededScene;

  beforeAll(async () => {
    authority = await startAuthority({
      folder,
      env: {
        COUNTERSIGN_HEADERS_TIMEOUT: '1s',
        COUNTERSIGN_REQUEST_TIMEOUT: '2s',
        COUNTERSIGN_KEEP_ALIVE_TIMEOUT: '1s',
      },
    });
    scene = await seedScene('slow', authority.target);
  });
  afterAll(async () => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each<[string, () => string[]]>([
    ['nothing at all', () => ['']],
    ['half a request line', () => ['POST /oauth/to']],
    [
      'headers, one letter at a time',
      () => 'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaaaaaa'.split(''),
    ],
    [
      'half a body',
      () => [
        tokenRequestText(authority.target, [`Content-Type: ${FORM}`, 'Content-Length: 100'], 'grant_type='),
      ],
    ],
    [
      'a chunked body, one chunk at a time',
      () => [
        tokenRequestText(authority.target, [`Content-Type: ${FORM}`, 'Transfer-Encoding: chunked'], ''),
        ...Array.from({ length: 40 }, () => '1\r\na\r\n'),
      ],
    ],
  ])('%s: cut off in time', async (_what, pieces) => {
    const result = await speakRaw(authority.target, pieces(), { pauseMs: 150, patienceMs: WITHIN_MS });
    expect(result.closedByServer).toBe(true);
    expect(result.afterMs).toBeLessThan(WITHIN_MS);
    for (const status of result.statuses) expect([400, 408]).toContain(status);
    expectToken(await askToken({ target: authority.target, client: scene.client }));
  });

  test('an idle keep-alive connection is closed', async () => {
    const text = tokenRequestText(
      authority.target,
      [`Content-Type: ${FORM}`, `Authorization: ${basic(scene.client)}`, 'Content-Length: 29'],
      'grant_type=client_credentials',
    );
    const result = await speakRaw(authority.target, [text], { patienceMs: WITHIN_MS });
    expect(result.statuses).toEqual([200]);
    expect(result.closedByServer).toBe(true);
  });
});
