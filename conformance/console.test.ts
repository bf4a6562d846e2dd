import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { chromiumProgram, launch, openWindow, signInAt } from './wire/browser.ts';
import { accessBody, makeMachine, openAdmin, resourceServerBody } from './wire/admin.ts';
import { send } from './wire/exchange.ts';
import { decodeJwt } from './wire/jwt.ts';
import { choose } from './wire/people.ts';
import { mayStartServers } from './wire/target.ts';

// The console in a browser that nobody here wrote, against an authority of its own.
describe.runIf(mayStartServers())('the console (needs the countersign command)', () => {
  const program = chromiumProgram();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-console-'));
  let authority: RunningAuthority;
  let browser: Browser | undefined;
  let at: string;

  beforeAll(async () => {
    if (program === undefined) return;
    authority = await startAuthority({ folder });
    at = `${authority.target.issuer}/console`;
    browser = await launch(program);
    await openAdmin(authority.target).must('POST', '/identities', {
      name: '<img src=x onerror=alert(1)>',
      client_id: 'payments',
      kind: 'service',
      environment: 'test',
      purpose: '<script>globalThis.owned = true</script>',
      owner: { person: 'mia@example.com' },
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    });
  });
  afterAll(async () => {
    await browser?.close();
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((context) => {
    if (program !== undefined) return;
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('Chromium is not installed');
    context.skip('Chromium is not installed');
  });

  test('a person signs in, sees what needs them, finds a machine and reads it; stored script stays text', async () => {
    const { context, page, elsewhere, faults } = await openWindow(browser!, authority.target);
    await signInAt(page, at, 'ada');
    expect(page.url()).toBe(at);
    await page.getByRole('heading', { name: 'What needs you' }).waitFor();
    await page.getByRole('link', { name: 'Identities' }).click();
    // What is read out next is the screen, and not the menu once more.
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Identities');
    await page.getByLabel('Name or client ID').fill('paym');
    await page.waitForURL(`${at}/identities?text=paym`);
    await page.getByText('<img src=x onerror=alert(1)>', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'payments', exact: true }).click();
    await page.waitForURL(`${at}/identities/payments`);
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('payments');
    await page.getByText('<script>globalThis.owned = true</script>').waitFor();
    expect(await page.evaluate('globalThis.owned')).toBeUndefined();
    expect(await page.title()).toBe('payments · Countersign');
    expect([elsewhere, faults]).toEqual([[], []]);
    await context.close();
  });

  test('an address is come back to after signing in, and the token is nowhere but in memory', async () => {
    const { context, page } = await openWindow(browser!, authority.target);
    let token = '';
    page.on('request', (request) => {
      token = /^DPoP (\S+)/.exec(request.headers()['authorization'] ?? '')?.[1] ?? token;
    });
    await signInAt(page, `${at}/identities?state=active&text=pay`, 'ada');
    expect(page.url()).toBe(`${at}/identities?state=active&text=pay`);
    await page.getByRole('link', { name: 'payments', exact: true }).waitFor();
    expect(token.split('.')).toHaveLength(3);
    const stored = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state])',
    );
    expect(String(stored)).not.toContain(token.slice(-20));
    expect(String(stored)).not.toMatch(/verifier|code=|eyJ/);
    expect(await context.cookies()).toEqual([]);
    // Without its key, which the browser gives to nobody, the token opens nothing.
    const stolen = await context.request.get(`${authority.target.issuer}/v1/me`, {
      headers: { authorization: `DPoP ${token}` },
    });
    expect(stolen.status()).toBe(401);
    await context.close();
  });

  test('another tab is signed in as long as one is open; signing out ends all of them, and the token', async () => {
    const { context, page } = await openWindow(browser!, authority.target);
    await signInAt(page, at, 'otto');
    const second = await context.newPage();
    await second.goto(`${at}/identities`);
    await second.getByRole('heading', { name: 'Identities' }).waitFor();
    await page.locator('summary').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await second.getByRole('button', { name: 'Sign in' }).waitFor();
    await context.close();
  });

  test.each([
    ['another state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43)), 'another sign-in'],
    [
      'another provider',
      (url: URL) => url.searchParams.set('iss', 'https://evil.example'),
      'another provider',
    ],
    ['no code', (url: URL) => url.searchParams.delete('code'), 'no code'],
    ['a code that is used up', (url: URL) => url.searchParams.set('code', 'x'.repeat(43)), 'no ID token'],
  ])('an answer of the provider with %s signs nobody in', async (_what, change, says) => {
    const { context, page } = await openWindow(browser!, authority.target);
    await page.goto(at);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Ada' }).waitFor();
    const back = await choose(authority.target, page.url(), 'ada');
    change(back);
    await page.goto(back.toString());
    await page.getByRole('alert').filter({ hasText: says }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    await context.close();
  });

  test('the receipts of a cut-off come in live: of a verifier at once, of one that is late when it has heard', async () => {
    const { target } = authority;
    const admin = openAdmin(target);
    const resource = 'https://receipts.example';
    await admin.must('POST', '/resource-servers', resourceServerBody(resource, ['read']));
    const machine = await makeMachine(admin, 'leaky');
    await admin.must('POST', '/access', accessBody(machine.identityId, resource, ['read']));
    const poll = async (after: number): Promise<number> => {
      const query = `resource=${encodeURIComponent(resource)}&stale_after=10&on_stale=refuse&after=${after}&wait=0`;
      const url = `${target.issuer}/oauth/cutoffs?${query}`;
      const answer = await send(url, { ca: target.ca, headers: [['Countersign-Instance', 'late-verifier']] });
      expect(answer.status, answer.text).toBe(200);
      return Number(decodeJwt(answer.text).claims['cursor']);
    };
    const verifier = await follow(authority, resource);
    try {
      const cursor = await poll(0);
      const { context, page } = await openWindow(browser!, target);
      await signInAt(page, `${at}/cutoffs?kind=identity&id=${machine.id}`, 'ada');
      await page.getByLabel('Why; it stays in the audit log').fill('found in a log');
      await page.getByRole('button', { name: 'See what it would reach' }).click();
      await page.getByText('2 verifiers connected').waitFor();
      await page.getByText('At the worst, it takes').waitFor();
      await page.getByRole('button', { name: `Cut off ${machine.id} now` }).click();
      await page.getByText('1 confirmed, 1 waiting').waitFor();
      const late = page.getByRole('listitem').filter({ hasText: 'late-verifier' }).last();
      await late.getByText('has not said so yet').waitFor();
      await page.getByText('Not every verifier has confirmed it yet').waitFor();
      // Nobody touches the page: it looks by itself.
      const next = await poll(cursor);
      await poll(next);
      await late.getByText(/confirmed after \d+ ms/).waitFor();
      await page.getByText('Every verifier that follows has confirmed it').waitFor();
      await context.close();
    } finally {
      verifier.kill();
    }
  });

  test('an answer that nobody here asked for signs nobody in', async () => {
    const { context, page } = await openWindow(browser!, authority.target);
    await page.goto(`${at}/callback?code=abc&state=${'y'.repeat(43)}`);
    await page.getByText('the answer to no sign-in of this tab').waitFor();
    await context.close();
  });
});

/** An API of its own process, with the SDK as its users have it. */
async function follow({ target, ready }: RunningAuthority, audience: string): Promise<ChildProcess> {
  const program = `
    import { createVerifier } from '@countersign/resource-server';
    const verifier = createVerifier(${JSON.stringify({ issuer: target.issuer, audience })});
    await verifier.ready();
    process.stdout.write('ready');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_EXTRA_CA_CERTS: ready.ca_file },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
  return child;
}
