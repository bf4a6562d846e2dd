// No RFC: telling the authority what was used (POST /v1/usage). What was told is told again until it is acknowledged, under
// the same number, so that nothing is counted twice and nothing is forgotten while this process lives.
import type { AccessTokenClaims } from '@countersign/protocol/portable';
import { ReportRefused } from './report-refused.ts';
import { type OpenedRoute, ToldRoutes } from './told-routes.ts';
import { type Tally, UseCounts, type UseRow } from './use-counts.ts';

/** Who tells: a client of `@countersign/client` is one. */
export interface Reporting {
  /** Rejects when there is no answer. */
  fetch(
    url: string | URL,
    init?: RequestInit,
    target?: { readonly resource?: string | undefined; readonly scope?: string | undefined },
  ): Promise<Response>;
}

export interface UseReporterDeps {
  readonly client: Reporting;
  /** The authority that is told. */
  readonly issuer: string;
  /** This API, as the authority knows it. */
  readonly resourceServer: string;
  /** A name of this running copy, for people. */
  readonly instance: string;
  /** A name for a numbering of reports, never the same twice. */
  readonly newBoot: () => string;
  /** Epoch seconds. */
  readonly clock: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Told of every report that was not taken; the next attempt follows by itself. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

const EVERY_MS = 60_000;
/** Copies that start together must not report together. */
const SPREAD = 0.2;
const TIMEOUT_MS = 10_000;
/** For the last report: nobody waits longer for a process to end. */
const CLOSE_TIMEOUT_MS = 5000;
/** Rows that the authority takes in one report. */
export const MOST_ROWS = 500;

interface Report {
  readonly resource_server: string;
  readonly instance: string;
  readonly boot: string;
  readonly seq: number;
  readonly from: string;
  readonly to: string;
  readonly rows: readonly UseRow[];
  /** What scopes open, as far as it was not told before. */
  readonly routes?: readonly OpenedRoute[];
  /** More rows of the same span follow under the next number. */
  readonly more?: true;
  /** There was use in this span of which nothing else is known. */
  readonly uncounted?: Readonly<Tally>;
  /** Nothing follows: this copy ends. */
  readonly final?: true;
}

/** RFC 9110 §15.5: answers about the request itself. Those about who asks, or when, may be another one the next time. */
const NEVER_TAKEN: ReadonlySet<number> = new Set([400, 413, 422]);

export class UseReporter {
  readonly #deps: UseReporterDeps;
  readonly #counts: UseCounts;
  readonly #routes = new ToldRoutes();
  /** Numbered and not yet acknowledged, oldest first: reports of one span. */
  #pending: Report[] = [];
  #boot: string;
  #seq = 0;
  /** Epoch seconds: the end of what was put into reports. */
  #toldUntil: number;
  /** Of reports that were never taken. */
  #lost: Tally = { ok: 0, denied: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flight: Promise<void> | undefined;
  #closed = false;

  constructor(deps: UseReporterDeps, counts: UseCounts = new UseCounts(deps.issuer)) {
    this.#deps = deps;
    this.#counts = counts;
    this.#toldUntil = deps.clock();
    this.#boot = deps.newBoot();
  }

  /** One call with a genuine token, let through or refused; see UseCounts. */
  count(claims: AccessTokenClaims, scope: readonly string[], ok: boolean, now?: number): void {
    this.#counts.count(claims, scope, ok, now);
  }

  /** A route that a scope opens; told once. */
  opens(route: OpenedRoute): void {
    this.#routes.add(route);
  }

  /** Begins to report, about once a minute. */
  start(): void {
    if (this.#timer === undefined && !this.#closed) this.#schedule(EVERY_MS * this.#deps.random());
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      void this.flush().finally(() => {
        if (!this.#closed) this.#schedule(EVERY_MS * (1 - SPREAD / 2 + SPREAD * this.#deps.random()));
      });
    }, ms);
    // A process that has nothing else to do may end.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Sends what was counted. Never rejects; what is not acknowledged is sent again the next time. */
  async flush(timeoutMs: number = TIMEOUT_MS): Promise<void> {
    this.#flight ??= this.#send(timeoutMs, false).finally(() => (this.#flight = undefined));
    await this.#flight;
  }

  /** Says goodbye: sends what is left, once, for at most five seconds. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flight;
    await this.#send(CLOSE_TIMEOUT_MS, true);
  }

  async #send(timeoutMs: number, final: boolean): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      await this.#deliver(signal);
      this.#number(final);
      await this.#deliver(signal);
    } catch (error) {
      this.#deps.onFailure?.(error);
    }
  }

  /** Turns what was counted into numbered reports. Only when none is waiting, so that what waits is bounded. */
  #number(final: boolean): void {
    const { resourceServer, instance, clock } = this.#deps;
    const { rows, uncounted: unroomed } = this.#counts.take();
    const uncounted = { ok: unroomed.ok + this.#lost.ok, denied: unroomed.denied + this.#lost.denied };
    this.#lost = { ok: 0, denied: 0 };
    const now = Math.max(clock(), this.#toldUntil);
    const routes = this.#routes.take();
    const span = { from: instantOf(this.#toldUntil), to: instantOf(now) };
    for (let at = 0; at === 0 || at < rows.length; at += MOST_ROWS) {
      const last = at + MOST_ROWS >= rows.length;
      this.#seq++;
      this.#pending.push({
        resource_server: resourceServer,
        instance,
        boot: this.#boot,
        seq: this.#seq,
        ...span,
        rows: rows.slice(at, at + MOST_ROWS),
        ...(last && routes.length > 0 ? { routes } : {}),
        ...(last ? {} : { more: true as const }),
        ...(last && uncounted.ok + uncounted.denied > 0 ? { uncounted } : {}),
        ...(last && final ? { final: true as const } : {}),
      });
    }
    this.#toldUntil = now;
  }

  async #deliver(signal: AbortSignal): Promise<void> {
    for (let report = this.#pending[0]; report !== undefined; report = this.#pending[0]) {
      try {
        await this.#post(report, signal);
        this.#pending.shift();
      } catch (error) {
        if (!(error instanceof ReportRefused) || !NEVER_TAKEN.has(error.status)) throw error;
        this.#giveUp(report);
        throw error;
      }
    }
  }

  /**
   * Its span is told again, as one of which not all is known. Whether an earlier copy of it was counted after all nobody can
   * tell, so no number is used again: a new numbering begins.
   */
  #giveUp(report: Report): void {
    this.#toldUntil = Math.min(this.#toldUntil, Date.parse(report.from) / 1000);
    for (const { rows, uncounted, routes = [] } of this.#pending) {
      this.#routes.giveBack(routes);
      for (const { ok, denied } of [...rows, uncounted ?? { ok: 0, denied: 0 }]) {
        this.#lost.ok += ok;
        this.#lost.denied += denied;
      }
    }
    this.#boot = this.#deps.newBoot();
    this.#seq = 0;
    this.#pending = [];
  }

  async #post(report: Report, signal: AbortSignal): Promise<void> {
    const { client, issuer } = this.#deps;
    const api = `${issuer.replace(/\/$/, '')}/v1`;
    const response = await client.fetch(
      `${api}/usage`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(report),
        redirect: 'error',
        signal,
      },
      { resource: api, scope: 'usage:write' },
    );
    await response.body?.cancel();
    if (!response.ok) throw new ReportRefused(response.status);
  }
}

function instantOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
