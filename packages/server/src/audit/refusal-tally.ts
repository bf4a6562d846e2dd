import { canonicalJson } from '@countersign/tlog';
import type { Clock } from '../clock.ts';
import { type RandomBytes, newId } from '../ids.ts';
import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';

/** Refusals of one kind of callers: the first ones of each party in a minute word for word, the others exactly counted. */
export interface RefusalTally {
  note(event: AuditEvent, party: Party): void;
  /** Writes what is only counted so far, and begins a new minute. Never rejects. */
  summarise(): Promise<void>;
}

/** Whose refusals count together, and what their summary says of them. */
export interface Party {
  readonly source: string | undefined;
  readonly identity?: string | undefined;
  /** Beside the counts, in the detail of the summary. */
  readonly told?: Readonly<Record<string, string>>;
  /** Where each reason counts by itself, so that one that repeats does not hide the others. */
  readonly reason?: string | undefined;
}

export interface TallyLimits {
  /** Verbatim events a minute and party. */
  readonly verbatimPerParty: number;
  /** … and of all parties together, so that inventing parties is no way around it. */
  readonly verbatimInAll: number;
  /** Beyond it all others share one: counts stay exact, only the breakdown is coarser. */
  readonly parties: number;
}

export interface RefusalTallyDeps {
  readonly log: Pick<AuditLog, 'append'>;
  /** Bytes left for the log; undefined = unknown, taken as enough. */
  readonly freeBytes: () => number | undefined;
  /** Below so many free bytes refusals are counted only: the rest belongs to issuance. */
  readonly reservedBytes: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly node: string;
}

/** What all share beyond the bound. */
const ALL_OTHERS: Party = { source: '*' };

interface Count {
  readonly party: Party;
  verbatim: number;
  /** Epoch ms: nothing counted here is older. */
  from: number;
  readonly counted: Map<string, number>;
}

export function createRefusalTally(deps: RefusalTallyDeps, limits: TallyLimits): RefusalTally {
  let counts = new Map<string, Count>();
  let verbatimInAll = 0;
  let since = deps.clock.now();

  function countOf(party: Party): Count {
    const key = keyOf(party);
    const known = counts.get(key);
    if (known !== undefined) return known;
    const others = party === ALL_OTHERS;
    if (!others && counts.size >= limits.parties) return countOf(ALL_OTHERS);
    const verbatim = others ? limits.verbatimPerParty : 0;
    const made: Count = { party, verbatim, from: since, counted: new Map() };
    counts.set(key, made);
    return made;
  }

  async function write({ party, from, counted }: Count): Promise<void> {
    const reasons = [...counted];
    const total = reasons.reduce((sum, [, n]) => sum + n, 0);
    const detail = {
      ...party.told,
      count: total,
      from: new Date(from).toISOString(),
      reasons: Object.fromEntries(reasons),
    };
    try {
      await deps.log.append({
        id: newId('evt', deps.random),
        at: new Date(deps.clock.now()).toISOString(),
        type: 'token.refusals_summarised',
        outcome: 'refused',
        identity: party.identity,
        source: party.source,
        node: deps.node,
        detail: canonicalJson(detail),
      });
    } catch {
      // The log is down: carry the counts over, they belong to the next summary.
      const carried = countOf(party);
      for (const [reason, times] of reasons) add(carried, reason, times, from);
    }
  }

  return {
    note(event, asked) {
      const count = countOf(asked);
      const { party } = count;
      const free = deps.freeBytes();
      const room = free === undefined || free > deps.reservedBytes;
      const reason = event.reason ?? 'unknown';
      if (room && count.verbatim < limits.verbatimPerParty && verbatimInAll < limits.verbatimInAll) {
        count.verbatim++;
        verbatimInAll++;
        const from = since;
        // By then the minute may be over, and this party summed up.
        deps.log.append(event).catch(() => add(countOf(party), reason, 1, from));
        return;
      }
      add(count, reason, 1, since);
    },

    async summarise() {
      const ended = counts;
      counts = new Map();
      verbatimInAll = 0;
      since = deps.clock.now();
      await Promise.all([...ended.values()].filter(({ counted }) => counted.size > 0).map(write));
    },
  };
}

function keyOf({ source, identity, told, reason }: Party): string {
  return told === undefined ? `${source ?? ''} ${identity ?? ''}` : JSON.stringify([told, reason]);
}

function add(count: Count, reason: string, times: number, from: number): void {
  count.counted.set(reason, (count.counted.get(reason) ?? 0) + times);
  count.from = Math.min(count.from, from);
}
