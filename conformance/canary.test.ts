import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startAuthority, type RunningAuthority } from './authority-process.ts';
import { describeOnPostgres, scratchDatabase, type ScratchDatabase } from './load/postgres.ts';
import { identityBody, issueSecret } from './wire/admin.ts';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { disguises, filesBelow, findSecrets } from './wire/leaks.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { makeKey } from './wire/client-assertion.ts';
import { dpopProof } from './wire/dpop-proof.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

// Threat 47: secrets and tokens, good and bad, sent to every place that might keep them, and then looked for everywhere.
describe.runIf(mayStartServers())('threat 47: a canary secret (needs the countersign command)', () => {
  describeCanary('SQLite');
  describeOnPostgres(() => describeCanary('PostgreSQL'));
});

/** All of it on one backend. */
function describeCanary(backend: 'SQLite' | 'PostgreSQL'): void {
  describe(backend, () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-canary-'));
    const answers: Answer[] = [];
    const secrets: string[] = [];
    let authority: RunningAuthority;
    let scene: SeededScene;
    let events: string;
    let metrics: string;
    let database: ScratchDatabase | undefined;

    /** Sends where a secret may leak, and keeps the answer. */
    async function keep(answer: Promise<Answer>): Promise<Answer> {
      const got = await answer;
      answers.push(got);
      return got;
    }

    beforeAll(async () => {
      if (backend === 'PostgreSQL') database = await scratchDatabase();
      authority = await startAuthority({
        folder,
        port: await freePort(),
        args: database === undefined ? [] : ['--database', database.url],
        env: { COUNTERSIGN_LOG_LEVEL: 'debug' },
      });
      const { target } = authority;
      scene = await seedScene('canary', target);
      const wrong = 'canary-Zq7Rk2Vx9Lm4Tn8Pw3Hs6Jd1';
      const shaped = scene.client.secret.replace(/_[A-Za-z0-9]+$/, '_CanaryCanaryCanaryCanaryCanary12345678');
      const second = await issueSecret(scene.admin, scene.machine.identityId);
      const key = await scene.admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, {
        type: 'api_key',
      });
      const apiKey = String(key['secret']);
      secrets.push(scene.client.secret, second.secret, apiKey, wrong, shaped);
      secrets.push(target.admin?.client.secret as string);
      await keep(askToken({ target, headers: [['X-API-Key', apiKey]] }));
      await keep(askToken({ target, headers: [['X-API-Key', `${apiKey}x`]] }));
      await keep(askToken({ target, client: scene.client, query: `?x-api-key=${apiKey}` }));
      const proof = dpopProof(makeKey(), target);
      secrets.push(proof.split('.')[2] as string);
      await keep(askToken({ target, client: scene.client, headers: [['DPoP', proof]] }));

      const token = expectToken(await askToken({ target, client: scene.client })).token;
      const adminToken = await scene.admin.token();
      // the signature is the part of a token that makes it one; header and claims are in the audit log on purpose
      secrets.push(...[token, adminToken].map((each) => each.split('.')[2] as string));

      for (const secret of [wrong, shaped, scene.client.secret]) {
        const client = { id: scene.client.id, secret };
        await keep(askToken({ target, client: { id: 'nobody', secret }, via: 'basic' }));
        await keep(askToken({ target, client: { id: secret, secret: 'x' }, via: 'post' }));
        await keep(askToken({ target, client, params: { grant_type: secret } }));
        await keep(askToken({ target, client: scene.client, params: { scope: secret } }));
        await keep(askToken({ target, client: scene.client, params: { resource: secret } }));
        await keep(askToken({ target, client, query: `?client_secret=${secret}` }));
        await keep(askToken({ target, client, contentType: 'text/plain' }));
        await keep(askToken({ target, client, body: `grant_type=%zz&client_secret=${secret}` }));
        await keep(
          askToken({
            target,
            body: JSON.stringify({ client_secret: secret }),
            contentType: 'application/json',
          }),
        );
        await keep(askToken({ target, client, headers: [['Authorization', basic(client)]] }));
        await keep(send(`${target.issuer}/${secret}`, { ca: target.ca }));
        await keep(send(`${target.issuer}/v1/identities/${secret}`, { ca: target.ca }));
        await keep(scene.admin.call('GET', `/identities?cursor=${secret}`));
        await keep(scene.admin.call('POST', '/identities', { body: `{"name":"${secret}",` }));
        await keep(scene.admin.call('GET', '/identities', { token: secret }));
        await keep(scene.admin.call('GET', `/identities?access_token=${secret}`));
        for (const name of ['canary-first', 'canary-another']) {
          const headers = [['Idempotency-Key', secret]] as const;
          await keep(scene.admin.call('POST', '/identities', { body: identityBody(name), headers }));
        }
        const headers = [['Idempotency-Key', `of wrong shape ${secret}`]] as const;
        await keep(scene.admin.call('POST', '/identities', { body: identityBody('canary'), headers }));
      }
      const remembered = await scene.admin.call(
        'POST',
        `/identities/${scene.machine.identityId}/credentials`,
        { body: { type: 'client_secret' }, headers: [['Idempotency-Key', 'an-answer-with-a-secret']] },
      );
      secrets.push(String(jsonOf(remembered)['secret']));
      await keep(send(`${target.issuer}/v1/identities?access_token=${token}`, { ca: target.ca }));
      await keep(scene.admin.call('GET', '/identities', { token }));
      await keep(
        send(target.tokenEndpoint, {
          method: 'POST',
          ca: target.ca,
          headers: [
            ['Content-Type', FORM],
            ['Authorization', `Bearer ${token}`],
          ],
          body: formBody({ grant_type: 'client_credentials' }),
        }),
      );
      events = JSON.stringify(await scene.admin.all(`${target.issuer}/audit/events?limit=200`, 1000));
      metrics = (await send(`${target.issuer}/metrics`, { ca: target.ca })).text;
    });
    afterAll(async () => {
      await authority?.stop().catch(() => undefined);
      await database?.drop();
      rmSync(folder, { recursive: true, force: true });
    });

    function found(text: string): string[] {
      const bytes = Buffer.from(text);
      return secrets.filter((secret) => disguises(secret).some((form) => bytes.includes(form)));
    }

    test('was sent to many places, and nothing broke', () => {
      expect(answers.length).toBeGreaterThan(40);
      expect(answers.filter((answer) => answer.status >= 500).map((answer) => answer.text)).toEqual([]);
      // Taken as keys of idempotency, each once; with another request they are refused.
      expect(answers.filter((answer) => answer.status === 201)).toHaveLength(3);
      expect(answers.filter((answer) => answer.status === 422)).toHaveLength(3);
    });

    test('is in no answer', () => {
      for (const answer of answers) {
        const head = answer.lines.map(([name, value]) => `${name}: ${value}`).join('\n');
        expect(found(`${head}\n${answer.text}`), answer.text.slice(0, 300)).toEqual([]);
      }
    });

    test('is in no audit event and in no metric', () => {
      expect(events.length).toBeGreaterThan(1000);
      expect(found(events)).toEqual([]);
      expect(found(metrics)).toEqual([]);
    });

    test('threat 42: is in no log, not even from a query', () => {
      expect(findSecrets(secrets, [authority.logFile])).toEqual([]);
    });

    test('threat 46: is in no row of the database, nor is a private key', async () => {
      const file = join(authority.dataDir, 'registry.db');
      const wal = `${file}-wal`;
      const lying = (path: string): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');
      const dump = (await database?.dump()) ?? lying(file) + lying(wal);
      expect(dump.length).toBeGreaterThan(10_000);
      expect(dump).toContain(scene.client.id);
      expect(found(dump)).toEqual([]);
      expect(dump).not.toMatch(/BEGIN (EC |RSA )?PRIVATE KEY|"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/);
    });

    test('is in no file of the data directory, while it runs and after it stopped', async () => {
      expect(findSecrets(secrets, [authority.dataDir])).toEqual([]);
      expect(await authority.stop()).toBe(0);
      expect(filesBelow([authority.dataDir]).length).toBeGreaterThan(2);
      expect(findSecrets(secrets, [authority.dataDir, authority.logFile])).toEqual([]);
    });

    test('threat 46: no private key lies in clear beside the database', () => {
      for (const file of filesBelow([authority.dataDir])) {
        const text = readFileSync(file).toString('latin1');
        // the development CA has to lie somewhere; a signing key has not
        if (/ca|tls|cert|server\.key|localhost/i.test(file.slice(authority.dataDir.length))) continue;
        expect(text, file).not.toMatch(/BEGIN (EC |RSA )?PRIVATE KEY/);
        expect(text, file).not.toMatch(/"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/);
      }
    });
  });
}
