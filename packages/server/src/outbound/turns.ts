// Turns for what goes out at once: so many altogether, fewer to one host, and the rest wait a little.
import { OutboundRefusal } from './outbound-refusal.ts';

export interface TurnLimits {
  readonly atOnce: number;
  /** A host that answers slowly, or not at all, leaves turns for the others. */
  readonly atOnceToOneHost: number;
  readonly waiting: number;
  readonly waitMs: number;
}

export interface Turns {
  /** Resolves with what gives the turn back. Rejects with `too_busy` when none came in time, or too many wait already. */
  take(host: string): Promise<() => void>;
}

interface Waiting {
  readonly host: string;
  readonly begin: () => void;
}

export function createTurns({ atOnce, atOnceToOneHost, waiting: most, waitMs }: TurnLimits): Turns {
  const toHost = new Map<string, number>();
  const waiting: Waiting[] = [];
  let running = 0;

  function hasRoom(host: string): boolean {
    return running < atOnce && (toHost.get(host) ?? 0) < atOnceToOneHost;
  }

  function begin(host: string): () => void {
    running++;
    toHost.set(host, (toHost.get(host) ?? 0) + 1);
    return () => end(host);
  }

  function end(host: string): void {
    running--;
    const left = (toHost.get(host) ?? 1) - 1;
    if (left === 0) toHost.delete(host);
    else toHost.set(host, left);
    const next = waiting.findIndex((each) => hasRoom(each.host));
    if (next >= 0) waiting.splice(next, 1)[0]?.begin();
  }

  return {
    async take(host) {
      if (hasRoom(host)) return begin(host);
      if (waiting.length >= most) throw new OutboundRefusal('too_busy', host);
      return await new Promise((granted, refused) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(me), 1);
          refused(new OutboundRefusal('too_busy', host));
        }, waitMs);
        const me: Waiting = {
          host,
          begin() {
            clearTimeout(timer);
            granted(begin(host));
          },
        };
        waiting.push(me);
      });
    },
  };
}
