// Chromium, as people have it: the machine's own, driven by playwright-core.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Target } from './target.ts';
import type { Who } from './people.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The program; undefined where there is none. */
export function chromiumProgram(): string | undefined {
  const named = process.env['COUNTERSIGN_TEST_CHROMIUM'];
  if (named !== undefined) return named;
  return PLACES.find((path) => existsSync(path));
}

export function launch(program: string): Promise<Browser> {
  // In containers there is neither a sandbox to be had nor much shared memory.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: program, args, timeout: 60_000 });
}

/** One person's browser, and all that it did which it should not. */
export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Addresses outside the authority that were asked for. */
  readonly elsewhere: string[];
  /** Errors of scripts, and what the content security policy stopped. */
  readonly faults: string[];
}

export async function openWindow(
  browser: Browser,
  target: Target,
  colours: 'light' | 'dark' = 'light',
): Promise<Window> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: colours,
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  const elsewhere: string[] = [];
  const faults: string[] = [];
  const own = new URL(target.issuer).origin;
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${own}/`) && !url.startsWith('blob:')) elsewhere.push(url);
  });
  context.on('weberror', (error) => faults.push(error.error().message));
  context.on('console', (message) => {
    const text = message.text();
    // The provider of dev names an address that Chromium does not take in a policy; its page is not ours to judge here.
    if (/Content Security Policy|Trusted/.test(text) && !text.includes("'form-action'")) faults.push(text);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return { context, page, elsewhere, faults };
}

const NAMES: Readonly<Record<Who, string>> = { ada: 'Ada', otto: 'Otto' };

/** Goes to an address of the console as nobody, and signs in there. */
export async function signInAt(page: Page, url: string, who: Who): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: NAMES[who] }).click();
  await page.getByRole('navigation', { name: 'Screens' }).waitFor();
}
