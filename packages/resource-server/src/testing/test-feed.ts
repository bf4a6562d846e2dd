// The signed cut-off feed of the test issuer: `typ: cutoffs+jwt`, long polls whose cursor is the receipt (RFC 8725 §3.11: a
// kind of its own).
import type { CutoffEntry, CutoffKind, Issuer } from '@countersign/protocol';

export interface TestCutoff {
  readonly kind: CutoffKind;
  /** The client_id, the credential (`crd`), the `jti` or the `kid`. */
  readonly id: string;
  /** Epoch seconds: tokens that were issued up to then. Default: now. */
  readonly not_before?: number;
}

export interface TestFeedDeps {
  readonly issuer: Issuer;
  /** Epoch seconds. */
  readonly clock: () => number;
  sign(header: object, claims: object): Promise<string>;
}

export interface TestFeed {
  /** Resolves when who follows has asked for what comes after. */
  order(what: TestCutoff): Promise<void>;
  /** News without an order: that all is as it was, at the time it is now. */
  beat(): Promise<void>;
  answer(query: URLSearchParams, signal: AbortSignal): Promise<Response>;
  /** Lets no poll wait any longer. */
  hangUp(): void;
}

/** Seconds that a page is good for. */
const LIFETIME = 60;
/** Milliseconds to wait for a follower that is under way; one that has gone never comes. */
const PATIENCE_MS = 1000;
const LOOK_EVERY_MS = 5;
const BETWEEN_MS = 100;

export function createTestFeed({ issuer, clock, sign }: TestFeedDeps): TestFeed {
  const entries: { readonly cursor: number; readonly entry: CutoffEntry }[] = [];
  let cursor = 0;
  /** Polls under way, with the cursor that each one has. */
  const polls = new Map<() => void, number>();
  let answeredAt = Number.NEGATIVE_INFINITY;

  /** Answers who waits, and waits until as many wait for what comes next. */
  async function tell(): Promise<void> {
    // One that was just answered is between two polls.
    const isBetween = performance.now() - answeredAt < BETWEEN_MS;
    const followers = Math.max(polls.size, isBetween ? 1 : 0);
    for (const wake of polls.keys()) wake();
    const until = performance.now() + PATIENCE_MS;
    const upToDate = (): number => [...polls.values()].filter((at) => at >= cursor).length;
    while (upToDate() < followers && performance.now() < until) await sleep(LOOK_EVERY_MS);
  }

  /** Until there is news, the poll's time is over, or nobody waits for it any more. */
  function news(from: number, seconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        polls.delete(wake);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(wake, seconds * 1000);
      // Nobody's process goes on for the sake of a test issuer.
      if (typeof timer === 'object') timer.unref();
      signal.addEventListener('abort', wake);
      polls.set(wake, from);
    });
  }

  return {
    async order({ kind, id, not_before = clock() }) {
      entries.push({ cursor: ++cursor, entry: { kind, id, not_before } });
      await tell();
    },
    async beat() {
      cursor++;
      await tell();
    },
    async answer(query, signal) {
      const after = query.get('after');
      const from = Number(after ?? 0);
      if (after !== null && from >= cursor) await news(from, Number(query.get('wait')), signal);
      signal.throwIfAborted();
      const iat = clock();
      const page = entries.filter((each) => each.cursor > from).map(({ entry }) => entry);
      const claims = { iss: issuer, iat, exp: iat + LIFETIME, from, cursor, entries: page };
      const text = await sign({ typ: 'cutoffs+jwt' }, claims);
      answeredAt = performance.now();
      return new Response(text, { headers: { 'content-type': 'application/jwt' } });
    },
    hangUp() {
      for (const wake of polls.keys()) wake();
    },
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
