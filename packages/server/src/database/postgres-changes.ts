import { Client } from 'pg';
import type { Change } from '../storage/storage.ts';
import type { ChangeFeed } from './changes.ts';
import { type Statement, statement } from './database.ts';
import { connect, connectionConfig, execute } from './postgres-connection.ts';

/** Milliseconds. */
const POLL_EVERY = 500;
/** A poll that has no answer by now has lost its connection: in time for another one before the caches stop answering. */
const POLL_TIMEOUT = 1_000;
/**
 * Without word from the database for so long, this node's caches stop answering. Also the time for which a cut-off
 * reaches ahead (cutoff/order.ts): a node whose word is that old may issue until then.
 */
export const STALE_AFTER = 2_000;
/** A commit is visible a moment before its notification arrives: a poll that is ahead waits this long for it. */
const GRACE = 100;
const FIRST_RETRY = 100;
const LAST_RETRY = 5_000;
/** PostgreSQL takes fewer than 8,000 bytes; more changes than that are told as one `all`. */
const MOST_BYTES = 7_000;

/**
 * The last statement of a transaction with changes. The one row of `registry_version` is held until the commit, so
 * that versions are committed in their order, and a node that has heard of version n and then of n + 1 missed nothing.
 */
const publishChanges: Statement = statement(
  'changes_publish',
  `WITH bumped AS (UPDATE registry_version SET version = version + 1 RETURNING version)
   SELECT pg_notify('countersign',
     json_build_object('version', version, 'node', $1::text, 'changes', $2::json)::text) FROM bumped`,
);
const listen: Statement = statement('', 'LISTEN countersign');
const selectVersion: Statement = statement('changes_version', 'SELECT version FROM registry_version');

interface Told {
  readonly version: number;
  readonly node: string;
  readonly changes: readonly Change[];
}

export function publication(node: string, changes: readonly Change[]): [Statement, string[]] {
  const text = JSON.stringify(changes);
  const small = Buffer.byteLength(text) <= MOST_BYTES ? text : '[{"kind":"all"}]';
  return [publishChanges, [node, small]];
}

export interface ChangeListener {
  coherent(): boolean;
  close(): Promise<void>;
}

export interface ChangeListenerOptions {
  readonly url: string;
  /** This node's name in notifications: its own changes were told when they were committed. */
  readonly node: string;
  readonly tell: ChangeFeed['tell'];
}

/**
 * Hears of other nodes' changes on a connection of its own, and polls the version there to learn of what it missed.
 * Resolves once it listens; reconnects by itself from then on.
 */
export async function listenForChanges(options: ChangeListenerOptions): Promise<ChangeListener> {
  const listener = new Listener(options);
  await listener.connect();
  return listener;
}

class Listener implements ChangeListener {
  readonly #options: ChangeListenerOptions;
  #client: Client | undefined;
  /** The newest version whose changes have been told; undefined before the first connection. */
  #version: number | undefined;
  /** When the version was last known to be the database's (monotonic ms); undefined while not listening. */
  #heardAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retry = FIRST_RETRY;
  #closed = false;

  constructor(options: ChangeListenerOptions) {
    this.#options = options;
  }

  coherent(): boolean {
    return this.#heardAt !== undefined && performance.now() - this.#heardAt < STALE_AFTER;
  }

  async connect(): Promise<void> {
    const startedAt = performance.now();
    const { url } = this.#options;
    const client = new Client({
      ...connectionConfig({ url, name: 'countersign changes', timeouts: true }),
      query_timeout: POLL_TIMEOUT,
    });
    this.#client = client;
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ payload }) => {
      if (this.#client === client) this.#hear(payload ?? '');
    });
    try {
      await connect(client);
      await execute(client, listen);
      const version = await readVersion(client);
      // Before caches may answer again they forget: nobody knows what changed while nobody listened.
      const reconnected = this.#version !== undefined;
      this.#version = version;
      if (reconnected) this.#options.tell([{ kind: 'all' }]);
    } catch (error) {
      this.#client = undefined;
      void client.end().catch(() => undefined);
      throw error;
    }
    this.#heardAt = startedAt;
    this.#retry = FIRST_RETRY;
    this.#after(POLL_EVERY, () => this.#poll(client));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#heardAt = undefined;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  #hear(payload: string): void {
    const told = parse(payload);
    const known = this.#version ?? 0;
    if (told !== undefined && told.version <= known) return;
    this.#version = told?.version ?? known;
    if (told === undefined || told.version !== known + 1) this.#options.tell([{ kind: 'all' }]);
    else if (told.node !== this.#options.node) this.#options.tell(told.changes);
  }

  async #poll(client: Client): Promise<void> {
    const askedAt = performance.now();
    try {
      const version = await readVersion(client);
      if (version > (this.#version ?? 0)) await new Promise((resolve) => setTimeout(resolve, GRACE));
      if (this.#client !== client) return;
      if (version > (this.#version ?? 0)) {
        this.#version = version;
        this.#options.tell([{ kind: 'all' }]);
      }
      this.#heardAt = askedAt;
      this.#after(POLL_EVERY, () => this.#poll(client));
    } catch {
      this.#lost(client);
    }
  }

  #lost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#heardAt = undefined;
    void client.end().catch(() => undefined);
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    const wait = this.#retry * (0.5 + Math.random() / 2);
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
    this.#after(wait, () => this.connect().catch(() => this.#reconnectLater()));
  }

  #after(ms: number, step: () => Promise<void>): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void step(), ms);
    this.#timer.unref();
  }
}

async function readVersion(client: Client): Promise<number> {
  const { rows } = await execute<{ version: number }>(client, selectVersion);
  const version = rows[0]?.version;
  if (version === undefined) throw new Error('registry_version has lost its row');
  return version;
}

function parse(payload: string): Told | undefined {
  try {
    const told = JSON.parse(payload) as Told;
    return Number.isSafeInteger(told.version) && Array.isArray(told.changes) ? told : undefined;
  } catch {
    return undefined;
  }
}
