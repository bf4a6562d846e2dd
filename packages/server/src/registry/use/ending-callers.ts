import type { EndingCaller } from '../../storage/ending-callers.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Storage } from '../../storage/storage.ts';
import { refusedNow } from '../decommissioning.ts';
import { clientAgent } from './client-agent.ts';

export interface EndingCall {
  /** Identifier; undefined where the caller did not say. */
  readonly resourceServer: string | undefined;
  readonly instance: string | undefined;
  readonly source: string;
  readonly userAgent: string | undefined;
}

/** Notes who calls in the name of identities that are being decommissioned. Counted in memory, written once a minute. */
export interface EndingCallers {
  /** Never waits. `at`: epoch ms. */
  saw(identity: IdentityRecord, call: EndingCall, outcome: 'let_through' | 'refused', at: number): void;
  /** Writes what was counted. On a rejection it is counted on, and written with the next. */
  flush(): Promise<void>;
}

/** Callers that are told apart in memory between two writes, on one node: about 5 MB. */
export const MOST_COUNTED = 10_000;
/** Rows that are kept of one identity, in all its phases; who comes later is counted in one row a phase. */
export const MOST_KEPT = 200;
export const OTHERS = 'others';

export function createEndingCallers(
  storage: Pick<Storage, 'transaction'>,
  mostCounted: number = MOST_COUNTED,
): EndingCallers {
  let counted = new Map<string, EndingCaller>();
  let writing: Promise<void> | undefined;

  function count(caller: EndingCaller): void {
    const key = keyOf(caller);
    const known = counted.get(key);
    if (known === undefined && counted.size >= mostCounted && caller.source !== OTHERS) {
      // One row for each identity and phase, however many callers: the bound is that of identities that end.
      count(other(caller));
      return;
    }
    counted.set(key, known === undefined ? caller : sum(known, caller));
  }

  async function write(): Promise<void> {
    const taken = counted;
    if (taken.size === 0) return;
    counted = new Map();
    try {
      for (const [identityId, callers] of groups(taken)) {
        await storage.transaction(async ({ endingCallers }) => {
          const kept = new Set((await endingCallers.ofIdentity(identityId)).map(keyOf));
          await endingCallers.add(withinRoom(callers, kept));
        });
        for (const caller of callers) taken.delete(keyOf(caller));
      }
    } catch (error) {
      for (const caller of taken.values()) count(caller);
      throw error;
    }
  }

  return {
    saw(identity, call, outcome, at) {
      count({
        identityId: identity.id,
        phase: phaseAt(identity, at),
        resourceServer: call.resourceServer ?? '',
        instance: call.instance ?? '',
        source: call.source,
        agent: clientAgent(call.userAgent),
        letThrough: outcome === 'let_through' ? 1 : 0,
        refused: outcome === 'refused' ? 1 : 0,
        firstAt: at,
        lastAt: at,
      });
    },
    async flush() {
      // One after the other: two at once would both find room for the last row.
      const before = writing;
      const own = (async () => {
        await before?.catch(() => undefined);
        await write();
      })();
      writing = own;
      await own;
    },
  };
}

/** By the clock: no job has to have run. */
function phaseAt(identity: IdentityRecord, at: number): EndingCaller['phase'] {
  const refused = refusedNow(identity, at);
  if (refused !== undefined) return refused;
  return (identity.decommissioning?.shadowUntil ?? 0) > at ? 'shadow' : 'brown_out';
}

function withinRoom(callers: readonly EndingCaller[], kept: ReadonlySet<string>): readonly EndingCaller[] {
  let room = MOST_KEPT - kept.size;
  const rows = new Map<string, EndingCaller>();
  for (const caller of callers) {
    const fits = kept.has(keyOf(caller)) || room-- > 0;
    const row = fits ? caller : other(caller);
    const known = rows.get(keyOf(row));
    rows.set(keyOf(row), known === undefined ? row : sum(known, row));
  }
  return [...rows.values()];
}

function other(caller: EndingCaller): EndingCaller {
  return { ...caller, resourceServer: '', instance: '', source: OTHERS, agent: OTHERS };
}

function sum(left: EndingCaller, right: EndingCaller): EndingCaller {
  return {
    ...left,
    letThrough: left.letThrough + right.letThrough,
    refused: left.refused + right.refused,
    firstAt: Math.min(left.firstAt, right.firstAt),
    lastAt: Math.max(left.lastAt, right.lastAt),
  };
}

function groups(counted: ReadonlyMap<string, EndingCaller>): ReadonlyMap<string, readonly EndingCaller[]> {
  const found = new Map<string, EndingCaller[]>();
  for (const caller of counted.values()) {
    const group = found.get(caller.identityId);
    if (group === undefined) found.set(caller.identityId, [caller]);
    else group.push(caller);
  }
  return found;
}

function keyOf({ identityId, phase, resourceServer, instance, source, agent }: EndingCaller): string {
  return JSON.stringify([identityId, phase, resourceServer, instance, source, agent]);
}
