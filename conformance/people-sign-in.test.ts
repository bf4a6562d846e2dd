import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, type RunningAuthority, startAuthority } from './authority-process.ts';
import { makeKey } from './wire/client-assertion.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { decodeJwt } from './wire/jwt.ts';
import {
  authorizationUrl,
  callAs,
  choose,
  digest,
  exchangeIdToken,
  idTokenOf,
  type PersonSession,
  redeem,
  secret,
  signIn,
  type Who,
} from './wire/people.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// People sign in through the issuer that `countersign dev` brings along, over HTTP and with the command. In a process of its
// own: what it trusts is changed here.
const COMMAND = fileURLToPath(new URL('../packages/cli/bin/countersign.js', import.meta.url));

describe.runIf(mayStartServers())('people (need the countersign command)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-people-'));
  const sessions = join(folder, 'sessions');
  let authority: RunningAuthority;
  let machine: string;

  beforeAll(async () => {
    authority = await startAuthority({ folder });
    const { admin } = authority.target;
    const params = { resource: admin?.resource ?? '' };
    const answer = await askToken({ target: authority.target, client: admin!.client, params });
    machine = String(jsonOf(answer)['access_token']);
  });
  afterAll(async () => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function asMachine(method: string, path: string, body?: object) {
    const headers: [string, string][] = [['Authorization', `Bearer ${machine}`]];
    if (body !== undefined) headers.push(['Content-Type', 'application/json']);
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const { ca, issuer } = authority.target;
    return await send(`${issuer}${path}`, { method, headers, ca, ...text });
  }

  const person = (who: Who): Promise<PersonSession> => signIn(authority.target, who);
  const call = (who: PersonSession, method: string, path: string, body?: object) =>
    callAs(authority.target, who, method, path, body);

  async function requested(name: string): Promise<string> {
    const made = await asMachine('POST', '/v1/identities', {
      name,
      kind: 'service',
      environment: 'test',
      purpose: 'is approved',
      owner: { person: 'mia@example.com' },
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
      state: 'draft',
    });
    const path = `/v1/identities/${String(jsonOf(made)['id'])}`;
    await asMachine('POST', `${path}/submit`, {});
    return path;
  }

  async function hashOf(path: string): Promise<string> {
    const waiting = jsonOf(await asMachine('GET', `/v1/approvals?identity=${path.split('/').at(-1)}`));
    return String((waiting['items'] as { content_hash: string }[])[0]?.content_hash);
  }

  test('a person approves, a machine and an operator do not, and the log says who it was', async () => {
    const path = await requested('approved');
    const refused = await asMachine('POST', `${path}/approve`, {});
    expect([refused.status, jsonOf(refused)['code']]).toEqual([403, 'needs_people']);
    const operator = await call(await person('otto'), 'POST', `${path}/approve`, {
      content_hash: await hashOf(path),
    });
    expect([operator.status, jsonOf(operator)['code']]).toEqual([403, 'insufficient_scope']);
    const body = { content_hash: await hashOf(path) };
    const approved = await call(await person('ada'), 'POST', `${path}/approve`, body);
    expect([approved.status, jsonOf(approved)['state']]).toEqual([200, 'approved']);
    const told = jsonOf(await asMachine('GET', '/audit/events?type=identity.approved'));
    expect((told['items'] as object[]).at(-1)).toMatchObject({
      identity: 'person:ada@example.com',
      person: 'ada@example.com',
      person_issuer: `${authority.target.issuer}/dev/people`,
      person_subject: 'ada',
      signed_in_at: expect.stringMatching(/^20/),
    });
  });

  test('a person’s token opens the admin API alone, and only with its key', async () => {
    const ada = await person('ada');
    expect((await call(ada, 'GET', '/v1/me')).status).toBe(200);
    const { claims, header } = decodeJwt(ada.token);
    expect(header['typ']).toBe('at+jwt');
    expect(claims).toMatchObject({ aud: `${authority.target.issuer}/v1`, client_id: 'countersign-cli' });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(3600);
    const { ca, issuer } = authority.target;
    const bare = await send(`${issuer}/v1/me`, { ca, headers: [['Authorization', `Bearer ${ada.token}`]] });
    expect(bare.status).toBe(401);
    expect((await call({ ...ada, key: makeKey() }, 'GET', '/v1/me')).status).toBe(401);
  });

  test('an ID token is taken once, by who began the sign-in, for this authority, and as nothing else', async () => {
    const given = await idTokenOf(authority.target, 'ada');
    const exchange = (change: Record<string, string | null> = {}) =>
      exchangeIdToken(authority.target, given, makeKey(), change);
    const errorOf = async (answer: ReturnType<typeof exchange>) => jsonOf(await answer)['error'];
    expect(await errorOf(exchange({ nonce_verifier: secret() }))).toBe('invalid_grant');
    expect(await errorOf(exchange({ nonce_verifier: null }))).toBe('invalid_request');
    expect(await errorOf(exchange({ resource: 'https://fraud.example' }))).toBe('invalid_target');
    expect(await errorOf(exchange({ client_id: 'admin' }))).toBe('invalid_request');
    expect(await errorOf(exchange({ client_id: null }))).toBe('invalid_request');
    expect((await exchange()).status).toBe(200);
    expect(await errorOf(exchange())).toBe('invalid_grant');
    const [head, payload] = (await idTokenOf(authority.target, 'ada')).idToken.split('.');
    const none = `${btoa('{"alg":"none","typ":"JWT"}').replaceAll('=', '')}.${payload}.`;
    expect(await errorOf(exchange({ subject_token: none }))).toBe('invalid_grant');
    expect(await errorOf(exchange({ subject_token: `${head}.${payload}.AAAA` }))).toBe('invalid_grant');
  });

  test('signing out ends the token at once', async () => {
    const ada = await person('ada');
    expect((await call(ada, 'POST', '/v1/me/sign-out', {})).status).toBe(200);
    expect((await call(ada, 'GET', '/v1/me')).status).toBe(401);
  });

  describe('the provider of dev', () => {
    test.each<[string, Record<string, string | null>]>([
      ['another host', { redirect_uri: 'http://evil.example:80/callback' }],
      ['a host that begins like loopback', { redirect_uri: 'http://127.0.0.1.evil.example:80/callback' }],
      ['a user that looks like loopback', { redirect_uri: 'http://127.0.0.1:80@evil.example/callback' }],
      ['another path', { redirect_uri: 'http://127.0.0.1:49152/other' }],
      ['a fragment', { redirect_uri: 'http://127.0.0.1:49152/callback#x' }],
      ['a name that anybody may point elsewhere', { redirect_uri: 'http://localhost:49152/callback' }],
      ['https', { redirect_uri: 'https://127.0.0.1:49152/callback' }],
      ['another client', { client_id: 'other' }],
      ['no PKCE', { code_challenge: null }],
      ['plain PKCE', { code_challenge_method: 'plain' }],
      ['no state', { state: null }],
      ['no nonce', { nonce: null }],
      ['a token at once', { response_type: 'token' }],
    ])('sends nobody on with %s', async (_what, change) => {
      const answer = await send(await authorizationUrl(authority.target, change), {
        ca: authority.target.ca,
      });
      expect([answer.status, answer.headers['location']]).toEqual([400, undefined]);
    });

    test('redeems a code once, at the address and with the verifier that it was asked for with', async () => {
      const verifier = secret();
      const begin = async () => {
        const url = await authorizationUrl(authority.target, { code_challenge: digest(verifier) });
        const back = await choose(authority.target, url, 'ada');
        return { url, code: String(back.searchParams.get('code')) };
      };
      for (const change of [
        { verifier: secret() },
        { verifier, redirect_uri: 'http://127.0.0.1:49153/callback' },
        { verifier, client_id: 'other' },
      ]) {
        const { url, code } = await begin();
        expect((await redeem(authority.target, url, { code, ...change })).status).toBe(400);
        // And then it is used up.
        expect((await redeem(authority.target, url, { code, verifier })).status).toBe(400);
      }
      const { url, code } = await begin();
      expect((await redeem(authority.target, url, { code, verifier })).status).toBe(200);
      expect((await redeem(authority.target, url, { code, verifier })).status).toBe(400);
    });

    test('has a page on which nothing runs and nobody frames it', async () => {
      const url = await authorizationUrl(authority.target, { state: `${secret()}"><script>` });
      const page = await send(url, { ca: authority.target.ca });
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(page.text).not.toContain('<script>');
    });
  });

  /** Runs the command with a session folder of its own; `onUrl` is what the person does with the address it prints. */
  function run(args: readonly string[], onUrl?: (url: URL) => Promise<void>) {
    const env = cleanEnvironment({
      COUNTERSIGN_READY_FILE: authority.readyFile,
      COUNTERSIGN_SESSION_DIR: sessions,
    });
    const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise<{ code: number | null; out: string; err: string }>((resolve, reject) => {
      let [out, err, seen] = ['', '', false];
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString();
        const url = /^ {2}(https?:\/\/\S+)\n/m.exec(err)?.[1];
        if (url === undefined || seen) return;
        seen = true;
        onUrl?.(new URL(url)).catch(reject);
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
    });
  }

  test('countersign login, whoami and logout: the session is its owner’s alone and used by every command', async () => {
    const before = JSON.parse((await run(['whoami', '-o', 'json'])).out) as object;
    expect(before).toMatchObject({ kind: 'machine', client_id: 'admin' });

    let sent = '';
    const login = await run(['login', '--no-browser'], async (url) => {
      sent = url.toString();
      const redirect = new URL(String(url.searchParams.get('redirect_uri')));
      expect([redirect.protocol, redirect.hostname, redirect.pathname]).toEqual([
        'http:',
        '127.0.0.1',
        '/callback',
      ]);
      const back = await choose(authority.target, url, 'ada');
      const without = (name: string, value?: string): URL => {
        const other = new URL(back);
        if (value === undefined) other.searchParams.delete(name);
        else other.searchParams.set(name, value);
        return other;
      };
      // What somebody else sends there is no answer: another state, none, another name for the address, another path.
      const twice = new URL(`${back.toString()}&state=x`);
      for (const other of [without('state', secret()), without('state'), without('code'), twice]) {
        expect((await send(other)).status).toBe(400);
      }
      expect((await send(back, { headers: [['Host', `localhost:${back.port}`]] })).status).toBe(400);
      expect((await send(new URL('/other', back))).status).toBe(404);
      expect((await send(back, { method: 'POST' })).status).toBe(405);
      expect((await send(back)).status).toBe(200);
    });
    expect([login.code, login.out]).toEqual([0, '']);
    expect(login.err).toContain('Signed in as ada@example.com (admin, approver, reviewer) until');
    expect(sent).not.toContain('verifier');

    const [name = ''] = readdirSync(sessions);
    expect(readdirSync(sessions)).toHaveLength(1);
    expect(statSync(join(sessions, name)).mode & 0o777).toBe(0o600);
    expect(statSync(sessions).mode & 0o777).toBe(0o700);
    const { access_token: token } = JSON.parse(readFileSync(join(sessions, name), 'utf8')) as {
      access_token: string;
    };
    expect(login.err).not.toContain(token);

    const who = await run(['whoami', '-o', 'json']);
    expect(JSON.parse(who.out)).toMatchObject({ kind: 'person', person: { handle: 'ada@example.com' } });
    const path = await requested('by-command');
    const approved = await run([
      'identities',
      'approve',
      path.split('/').at(-1) ?? '',
      '--content-hash',
      await hashOf(path),
    ]);
    expect([approved.code, approved.err]).toEqual([0, expect.any(String)]);
    expect(jsonOf(await asMachine('GET', path))['state']).toBe('approved');

    expect((await run(['logout'])).err).toContain('Signed out');
    expect(readdirSync(sessions)).toEqual([]);
    expect(JSON.parse((await run(['whoami', '-o', 'json'])).out)).toMatchObject({ kind: 'machine' });
  }, 120_000);

  test('a login is refused when the answer is another provider’s, and nothing is kept', async () => {
    const login = await run(['login', '--no-browser'], async (url) => {
      const back = await choose(authority.target, url, 'ada');
      back.searchParams.set('iss', 'https://evil.example');
      expect((await send(back)).status).toBe(403);
    });
    expect(login.code).toBe(4);
    expect(login.err).toContain('another provider');
    expect(readdirSync(sessions)).toEqual([]);
  }, 60_000);

  test('serve refuses the built-in issuer by its name', async () => {
    const args = ['serve', '--issuer', 'https://a.example', '--set', 'dev-people=true'];
    const served = await run(args);
    expect(served.code).toBe(2);
    expect(served.err).toMatch(/dev-people/);
  }, 60_000);

  // The last: from here on nobody signs in through the built-in issuer.
  test('a registered issuer of people takes the place of the built-in one, whose people are out at once', async () => {
    const ada = await person('ada');
    const made = await asMachine('POST', '/v1/trusted-issuers', {
      issuer: 'https://login.example',
      name: 'staff',
      kind: 'people',
      jwks: { keys: [{ ...makeKey().jwk, kid: 'first', use: 'sig' }] },
      algorithms: ['ES256'],
      people: { client_id: 'countersign', roles: { admin: ['admins'] } },
    });
    expect(made.status).toBe(201);
    expect((await call(ada, 'GET', '/v1/me')).status).toBe(401);
    const offer = jsonOf(await send(`${authority.target.issuer}/v1/sign-in`, { ca: authority.target.ca }));
    expect(offer['issuer']).toBe('https://login.example');
    const mine = await asMachine('POST', '/v1/trusted-issuers', {
      issuer: 'https://evil.example',
      name: 'mine',
      kind: 'people',
      people: { client_id: 'x', roles: { admin: ['admins'] } },
    });
    expect([mine.status, jsonOf(mine)['code']]).toEqual([403, 'needs_people']);
  });
});
