import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { comparable } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Budgets of the token endpoint: RFC 6585 section 4 with RFC 9110 section 10.2.3.
const QUOTA = 20;
const FAILURES = 3;

describe.runIf(currentTarget().own !== undefined)(
  'budgets (need an authority with settings of its own)',
  () => {
    let folder: string;
    let authority: RunningAuthority;
    let scene: SeededScene;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'countersign-budgets-'));
      const env = {
        COUNTERSIGN_ISSUANCE_QUOTA: String(QUOTA),
        COUNTERSIGN_ISSUANCE_QUOTA_MODE: 'enforce',
        COUNTERSIGN_FAILURE_LIMIT: String(FAILURES),
      };
      authority = await startAuthority({ folder, env });
      scene = await seedScene('budgets', authority.target);
    });
    afterAll(async () => {
      await authority.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    const ask = (secret = scene.client.secret, id = scene.client.id, localAddress?: string) =>
      askToken({
        target: authority.target,
        client: { id, secret },
        params: { resource: scene.resource },
        ...(localAddress === undefined ? {} : { localAddress }),
      });

    test('threat 11: who guesses at a client is told to wait, and the client itself is served from anywhere', async () => {
      const guess = async (id: string) => {
        for (let i = 0; i < FAILURES; i++) expectOAuthError(await ask('x', id), 401, 'invalid_client');
        return await ask('x', id);
      };
      const beyond = await guess(scene.client.id);
      expectOAuthError(beyond, 429, 'temporarily_unavailable');
      expect(Number(beyond.headers['retry-after'])).toBeGreaterThan(0);
      expect(comparable(await guess('nobody-of-that-name'))).toBe(comparable(beyond));
      expectToken(await ask());
      expectToken(await ask(undefined, undefined, '127.0.0.79'));
      expectOAuthError(await ask('x', undefined, '127.0.0.79'), 401, 'invalid_client');
    });

    test('an identity beyond its quota is told when to come back, and others are served', async () => {
      let refused = await ask();
      for (let i = 0; i < QUOTA && refused.status === 200; i++) refused = await ask();
      expectOAuthError(refused, 429, 'temporarily_unavailable');
      const seconds = Number(refused.headers['retry-after']);
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(60 / QUOTA);
      const other = await seedScene('budgets-other', authority.target);
      expectToken(
        await askToken({
          target: authority.target,
          client: other.client,
          params: { resource: other.resource },
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      expectToken(await ask());
    });
  },
);
