// Streams of the SPIFFE Workload API (§4.2): each message is the whole state, the first comes at once, the next when it is another.
import type { Call } from '../grpc/server.ts';

export interface Changing {
  changed(signal: AbortSignal): Promise<void>;
}

/** Changes when one of them does. */
export function either(...sources: readonly Changing[]): Changing {
  return {
    async changed(signal) {
      const over = new AbortController();
      const any = AbortSignal.any([signal, over.signal]);
      await Promise.race(sources.map((source) => source.changed(any)));
      over.abort();
    },
  };
}

/**
 * Sends what `render` makes, and again whenever that is another, until the caller is gone or `render` throws. A caller that
 * reads slowly gets the newest state and none between.
 */
export async function stream<Peer>(
  call: Call<Peer>,
  source: Changing,
  render: () => Promise<Buffer>,
): Promise<void> {
  let sent: Buffer | undefined;
  while (!call.signal.aborted) {
    const over = new AbortController();
    // Listened for before it is looked at: no change falls between.
    const change = source.changed(AbortSignal.any([call.signal, over.signal]));
    try {
      const message = await render();
      if (sent === undefined || !sent.equals(message)) {
        await call.send(message);
        sent = message;
      }
      await change;
    } finally {
      over.abort();
    }
  }
}
