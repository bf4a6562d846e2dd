import type { Clock } from '../clock.ts';
import type {
  Confirmation,
  CutoffReceiptStore,
  FollowerKey,
  FollowerRecord,
} from '../storage/cutoff-receipts.ts';
import { type KnownAttempts, takeAttempts, type ToldAttempts } from './attempts.ts';
import type { CutoffLedger, CutoffState } from './ledger.ts';

export interface CutoffFollowersDeps {
  readonly ledger: Pick<CutoffLedger, 'current'>;
  readonly store: Pick<CutoffReceiptStore, 'record'>;
  readonly clock: Clock;
}

/** What a verifier says of itself when it asks for the feed. */
export interface FollowerWord {
  readonly resourceServerId: string;
  readonly instance: string;
  readonly proven: boolean;
  /** Network of the caller. */
  readonly source: string;
  /** The receipt: it obeys every order up to this cursor. Undefined when it has none yet. */
  readonly after: number | undefined;
  /** Seconds. */
  readonly staleAfter: number;
  readonly onStale: string;
  readonly attempts: readonly ToldAttempts[];
}

/**
 * Receipts of the cut-off feed, gathered here and written down in bunches. What a crash forgets is told again: a cursor
 * confirms every order below it, and attempts are counted from the start of a follower.
 */
export interface CutoffFollowers {
  /** Takes note. Rejects only when the ledger cannot be read. */
  heard(word: FollowerWord): Promise<void>;
  /** Writes down what is not yet written. Rejects when the database refuses; nothing is lost then. */
  flush(): Promise<void>;
  /** Followers remembered here. */
  size(): number;
  /** Words that were not taken, because there was no room for one more follower. */
  crowdedOut(): number;
  /** Whether a proven follower showed a receipt that is still of the future: this database is older than what it has seen. */
  outrun(): boolean;
  close(): Promise<void>;
}

/** Remembered at most, in all and of one resource server; of those who proved nothing fewer, also from one network. */
const MOST = 20_000;
const MOST_OF_SERVER = 1000;
const MOST_UNPROVEN_OF_SERVER = 200;
const MOST_UNPROVEN_OF_SOURCE = 100;
/** Milliseconds without a word after which a follower is forgotten here; the database keeps it for longer. */
const FORGOTTEN_AFTER = 600_000;
const FORGET_EVERY = 30_000;
/**
 * Confirmations of one follower that are written down one by one. After a burst of so many, one in so many ms: a later
 * confirmation holds for the orders before it, so that none is lost, and clients who revoke many tokens fill no table.
 */
const BURST = 60;
const REFILL_EVERY = 30_000;
/** Milliseconds until what was heard is written down. */
const SOON = 100;
const LATER = 5_000;
const MOST_PENDING = 20_000;

interface Following {
  record: FollowerRecord;
  readonly source: string;
  /** Up to which cursor a confirmation was noted. */
  confirmed: number;
  left: number;
  refilledAt: number;
  readonly attempts: KnownAttempts;
  unwritten: boolean;
}

export function createCutoffFollowers(deps: CutoffFollowersDeps): CutoffFollowers {
  const { clock } = deps;
  const followers = new Map<string, Following>();
  const ofServer = new Map<string, number>();
  let unproven = 0;
  const ofSource = new Map<string, number>();
  let pending: Confirmation[] = [];
  let forgotAt = clock.now();
  let crowdedOut = 0;
  /** The newest receipt that a proven follower showed, and the newest order there is. */
  let shown = 0;
  let head = 0;
  let writing: Promise<void> | undefined;
  let timer: { readonly handle: NodeJS.Timeout; readonly at: number } | undefined;

  function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
    const left = (counts.get(key) ?? 0) + change;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  }

  const serverKey = ({ resourceServerId, proven }: FollowerKey): string => `${resourceServerId} ${proven}`;

  function hasRoom(word: FollowerWord): boolean {
    const here = ofServer.get(serverKey(word)) ?? 0;
    if (word.proven) return followers.size < MOST && here < MOST_OF_SERVER;
    // Who proves nothing never takes the places of those who do.
    if (unproven >= MOST / 2) return false;
    return here < MOST_UNPROVEN_OF_SERVER && (ofSource.get(word.source) ?? 0) < MOST_UNPROVEN_OF_SOURCE;
  }

  function forgetSilent(now: number): void {
    // A clock that was set back counts as time gone by.
    if (Math.abs(now - forgotAt) < FORGET_EVERY) return;
    forgotAt = now;
    for (const [key, following] of followers) {
      if (following.unwritten || Math.abs(now - following.record.lastSeenAt) < FORGOTTEN_AFTER) continue;
      followers.delete(key);
      count(ofServer, serverKey(following.record), -1);
      if (following.record.proven) continue;
      unproven--;
      count(ofSource, following.source, -1);
    }
  }

  function admit(word: FollowerWord, now: number): Following | undefined {
    const key = `${serverKey(word)} ${word.instance}`;
    const known = followers.get(key);
    if (known !== undefined) return known;
    if (!hasRoom(word)) {
      crowdedOut++;
      return undefined;
    }
    const { resourceServerId, instance, proven, staleAfter, onStale } = word;
    const times = { firstSeenAt: now, lastSeenAt: now };
    const following: Following = {
      record: { resourceServerId, instance, proven, staleAfter, onStale, ...times },
      source: word.source,
      confirmed: 0,
      left: BURST,
      refilledAt: now,
      attempts: { told: new Map(), unwritten: new Set() },
      unwritten: true,
    };
    followers.set(key, following);
    count(ofServer, serverKey(word), 1);
    if (proven) return following;
    unproven++;
    count(ofSource, word.source, 1);
    return following;
  }

  /** A cursor that confirms an order nobody had confirmed here yet. */
  function takeReceipt(following: Following, after: number, state: CutoffState, now: number): void {
    const newest = state.entries.findLast(({ cursor }) => cursor <= after);
    if (newest === undefined || newest.cursor <= following.confirmed) return;
    if (pending.length >= MOST_PENDING) return;
    const earned = Math.floor((now - following.refilledAt) / REFILL_EVERY);
    if (earned > 0) {
      following.left = Math.min(BURST, following.left + earned);
      following.refilledAt = now;
    }
    if (following.left < 1) return;
    following.left--;
    following.confirmed = after;
    const { resourceServerId, instance, proven } = following.record;
    pending.push({ resourceServerId, instance, proven, cursor: after, at: now });
  }

  function writeWithin(ms: number): void {
    const at = clock.now() + ms;
    if (timer !== undefined && timer.at <= at) return;
    clearTimeout(timer?.handle);
    const handle = setTimeout(() => {
      timer = undefined;
      write().catch(() => writeWithin(LATER));
    }, ms);
    handle.unref();
    timer = { handle, at };
  }

  async function write(): Promise<void> {
    // Two writes of the same rows at once would only wait for each other.
    while (writing !== undefined) await writing.catch(() => undefined);
    writing = writeAll().finally(() => (writing = undefined));
    await writing;
  }

  async function writeAll(): Promise<void> {
    const seen = [...followers.values()].filter((each) => each.unwritten || each.attempts.unwritten.size > 0);
    const confirmations = pending;
    if (seen.length === 0 && confirmations.length === 0) return;
    pending = [];
    const attempts = seen.flatMap(({ record, attempts: { told, unwritten } }) =>
      [...unwritten].map((cursor) => {
        const { resourceServerId, instance, proven } = record;
        const { count: number = 0, at = 0 } = told.get(cursor) ?? {};
        return { resourceServerId, instance, proven, cursor, count: number, at };
      }),
    );
    const before = seen.map((each) => [each, [...each.attempts.unwritten]] as const);
    for (const each of seen) {
      each.unwritten = false;
      each.attempts.unwritten.clear();
    }
    try {
      await deps.store.record({ followers: seen.map(({ record }) => record), confirmations, attempts });
    } catch (error) {
      pending = [...confirmations, ...pending];
      for (const [each, cursors] of before) {
        each.unwritten = true;
        for (const cursor of cursors) each.attempts.unwritten.add(cursor);
      }
      throw error;
    }
  }

  return {
    async heard(word) {
      const state = await deps.ledger.current(word.after);
      const now = clock.now();
      forgetSilent(now);
      const following = admit(word, now);
      if (following === undefined) return;
      const { staleAfter, onStale, after } = word;
      following.record = { ...following.record, staleAfter, onStale, lastSeenAt: now };
      following.unwritten = true;
      const known = pending.length;
      head = state.head;
      if (after !== undefined && word.proven) shown = Math.max(shown, after);
      if (after !== undefined && after <= head) takeReceipt(following, after, state, now);
      takeAttempts(following.attempts, word.attempts, state, now);
      writeWithin(pending.length > known || following.attempts.unwritten.size > 0 ? SOON : LATER);
    },
    flush: write,
    size: () => followers.size,
    crowdedOut: () => crowdedOut,
    outrun: () => shown > head,
    async close() {
      clearTimeout(timer?.handle);
      await write().catch(() => undefined);
    },
  };
}
