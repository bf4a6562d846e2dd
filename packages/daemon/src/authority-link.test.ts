import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AuthorityLink, openAuthorityLink } from './authority-link.ts';
import type { Logger } from './telemetry/logger.ts';

const issuer = 'https://auth.example.com';
const lines: unknown[][] = [];
let link: AuthorityLink;
beforeEach(() => {
  vi.useFakeTimers();
  lines.length = 0;
  const logger = { warn: (...line: unknown[]) => lines.push(line) } as unknown as Logger;
  const config = {
    issuer,
    ca: undefined,
    cutoffs: false as const,
    client: undefined,
    opaqueTokens: false,
    usage: false,
  };
  link = openAuthorityLink(config, logger);
});
afterEach(() => {
  link.stopWaiting();
  vi.useRealTimers();
});

test('a problem that stays is said again each half minute, in words of the file', async () => {
  const ready = () =>
    Promise.reject(new Error('the certificate is not trusted: pass fetch: fetchTrusting(ca): https://x'));
  void link.untilReady('orders', { ready });
  await vi.advanceTimersByTimeAsync(29_000);
  const told = [
    {
      resource: 'orders',
      problem: 'the certificate is not trusted: name the CA that signed it as ca: https://x',
    },
    'the authority is not there yet',
  ];
  const waiting = [{ resource: 'orders', issuer }, 'waiting for the authority'];
  expect(lines).toEqual([told, waiting]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(lines).toEqual([told, waiting, told]);
});

test('whoever waits without a word is told for whom, and nothing is said of an authority that is there', async () => {
  const pending = link.untilReady('orders', { ready: () => new Promise<void>(() => undefined) });
  await link.untilReady('refunds', { ready: () => Promise.resolve() });
  await vi.advanceTimersByTimeAsync(3000);
  expect(lines).toEqual([[{ resource: 'orders', issuer }, 'waiting for the authority']]);
  void pending;
});
