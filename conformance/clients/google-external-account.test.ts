import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepare, printed, runForeign } from '../foreign/run.ts';
import { accessBody, makeMachine, resourceServerBody } from '../wire/admin.ts';
import { makeKey, signCompact } from '../wire/client-assertion.ts';
import { expectToken } from '../wire/expectations.ts';
import { decodeJwt } from '../wire/jwt.ts';
import { freshName, rememberSecret, seedScene } from '../wire/scene.ts';
import { currentTarget } from '../wire/target.ts';
import { askToken } from '../wire/token-request.ts';

// google-auth-library's external accounts: RFC 8693 with an audience and no resource, raw Basic, the subject token in a file.
const target = currentTarget();

describe.runIf(target.admin !== undefined)(
  'google-auth-library external_account (needs the admin API)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-subject-'));
    let env: Record<string, string>;
    let caller: string;
    prepare('node');

    beforeAll(async () => {
      const scene = await seedScene('google');
      const next = await seedScene('google-next');
      const { admin } = scene;
      const scopes = resourceServerBody(scene.resource, ['read', 'write', 'delete', 'tokens:exchange'])[
        'scopes'
      ];
      const path = `/resource-servers/${scene.resourceServerId}`;
      expect((await admin.change('PATCH', path, { scopes })).status).toBe(200);
      const api = await makeMachine(admin, freshName('google-api'));
      rememberSecret(target, api.secret);
      await admin.must('POST', '/access', accessBody(api.identityId, scene.resource, ['tokens:exchange']));
      for (const identity of [api.identityId, scene.machine.identityId])
        await admin.must('POST', '/access', accessBody(identity, next.resource, ['read']));
      const params = { resource: scene.resource };
      const { token } = expectToken(await askToken({ client: scene.client, params }));
      const file = join(folder, 'subject-token');
      writeFileSync(file, token, { mode: 0o600 });
      caller = scene.client.id;
      env = {
        TOKEN_ENDPOINT: target.tokenEndpoint,
        CLIENT_ID: api.id,
        CLIENT_SECRET: api.secret,
        AUDIENCE: next.resource,
        SUBJECT_TOKEN_FILE: file,
        SCOPE: 'read',
      };
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('exchanges the token in the file', async (context) => {
      const seen = printed(await runForeign(context, 'node', ['google-external-account.mjs'], env));
      expect(seen).toMatchObject({
        scope: 'read',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      });
      expect(decodeJwt(String(seen['token'])).claims).toMatchObject({
        sub: caller,
        client_id: env['CLIENT_ID'],
        aud: env['AUDIENCE'],
        act: { sub: env['CLIENT_ID'] },
      });
    });

    test('comes with the token of its platform and nothing else', async (context) => {
      const scene = await seedScene('google-platform');
      const key = makeKey('ES256');
      const issuer = `https://${freshName('platform')}.example`;
      const sub = 'build-7';
      const jwks = { keys: [{ ...key.jwk, kid: 'k1', use: 'sig' }] };
      const trusted = await scene.admin.must('POST', '/trusted-issuers', { issuer, name: 'Platform', jwks });
      await scene.admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, {
        type: 'federated',
        trusted_issuer: trusted['id'],
        conditions: { sub },
      });
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: issuer,
        sub,
        aud: target.issuer,
        iat: now,
        exp: now + 300,
        jti: freshName('jti'),
      };
      const platformToken = signCompact({ alg: 'ES256', kid: 'k1', typ: 'JWT' }, claims, key);
      const file = join(folder, 'platform-token');
      writeFileSync(file, platformToken, { mode: 0o600 });
      const { CLIENT_ID: _id, CLIENT_SECRET: _secret, ...rest } = env;
      const platform = { ...rest, AUDIENCE: scene.resource, SUBJECT_TOKEN_FILE: file };
      const seen = printed(await runForeign(context, 'node', ['google-external-account.mjs'], platform));
      const { claims: got } = decodeJwt(String(seen['token']));
      expect(got).toMatchObject({ sub: scene.client.id, client_id: scene.client.id, aud: scene.resource });
      expect(got).not.toHaveProperty('act');
      expect(Number(got['exp'])).toBeLessThanOrEqual(now + 300);

      const lookAlike = { ...claims, sub: 'build-70', jti: freshName('jti') };
      writeFileSync(file, signCompact({ alg: 'ES256', kid: 'k1', typ: 'JWT' }, lookAlike, key));
      const outcome = await runForeign(context, 'node', ['google-external-account.mjs'], platform);
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toMatch(/invalid_request/);
    });

    test('a job of GitHub Actions comes with what its runner answers, anew for each exchange', async (context) => {
      const scene = await seedScene('google-runner');
      const key = makeKey('RS256');
      const issuer = `https://${freshName('actions')}.example`;
      const jwks = { keys: [{ ...key.jwk, kid: 'k1', use: 'sig', alg: 'RS256' }] };
      const settings = { issuer, name: 'Actions', kind: 'github_actions', jwks };
      const trusted = await scene.admin.must('POST', '/trusted-issuers', settings);
      await scene.admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, {
        type: 'federated',
        trusted_issuer: trusted['id'],
        conditions: { repository_id: '456789', repository_owner_id: '123456', ref: 'refs/heads/main' },
      });
      let ref = 'refs/heads/main';
      const asked: string[] = [];
      const runner = createServer((request, response) => {
        asked.push(`${String(request.headers.authorization)} ${String(request.url)}`);
        const now = Math.floor(Date.now() / 1000);
        const times = { iat: now, nbf: now - 5, exp: now + 300, jti: freshName('jti') };
        const repository = { repository_id: '456789', repository_owner_id: '123456', ref };
        const who = { iss: issuer, sub: `repo:octo-org/octo-repo:ref:${ref}`, aud: target.issuer };
        const value = signCompact(
          { alg: 'RS256', kid: 'k1', typ: 'JWT' },
          { ...who, ...times, ...repository },
          key,
        );
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ count: 1, value }));
      });
      await new Promise<void>((done) => runner.listen(0, '127.0.0.1', done));
      const { port } = runner.address() as AddressInfo;
      const { CLIENT_ID: _id, CLIENT_SECRET: _secret, SUBJECT_TOKEN_FILE: _file, ...rest } = env;
      const job = {
        ...rest,
        AUDIENCE: scene.resource,
        SUBJECT_TOKEN_URL: `http://127.0.0.1:${port}/token?audience=${encodeURIComponent(target.issuer)}`,
        SUBJECT_TOKEN_BEARER: 'of-the-runner',
      };
      try {
        for (let times = 0; times < 2; times++) {
          const seen = printed(await runForeign(context, 'node', ['google-external-account.mjs'], job));
          expect(seen).toMatchObject({ scope: 'read' });
          const { claims } = decodeJwt(String(seen['token']));
          expect(claims).toMatchObject({ client_id: scene.client.id, aud: scene.resource });
        }
        expect(asked[0]).toBe(`Bearer of-the-runner /token?audience=${encodeURIComponent(target.issuer)}`);
        ref = 'refs/pull/7/merge';
        const outcome = await runForeign(context, 'node', ['google-external-account.mjs'], job);
        expect(outcome.code).not.toBe(0);
        expect(outcome.stderr).toMatch(/invalid_request/);
      } finally {
        runner.close();
        runner.closeAllConnections();
      }
    });

    test('reports an audience that it may not call', async (context) => {
      const wrong = { ...env, AUDIENCE: 'https://other.example/' };
      const outcome = await runForeign(context, 'node', ['google-external-account.mjs'], wrong);
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toMatch(/invalid_target/);
    });
  },
);
