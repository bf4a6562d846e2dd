// What the agent may serve, kept up to date.
import { setTimeout as sleep } from 'node:timers/promises';
import { Changes } from '../changes.ts';
import { type Authority, AuthorityRefused, type Served } from './authority.ts';

export interface Followed {
  /** Undefined: the authority has not answered yet. Without registrations where it refuses this agent. */
  current(): Served | undefined;
  /** Resolves at the next change of what `current` says, or when the signal is aborted. */
  changed(signal: AbortSignal): Promise<void>;
  /** Told before anybody who waits. */
  onChange(listener: (served: Served) => void): void;
  close(): void;
}

export interface FollowDeps {
  readonly authority: Pick<Authority, 'served'>;
  readonly everyMs: number;
  /** Tells of the first failure in a row, and of the end of them. */
  readonly report: (text: string) => void;
}

/**
 * Asks again and again. What is not there any more in the answer is withdrawn; while there is no answer what was there stays: an
 * authority that is away takes nothing from anybody, and each SVID has its end.
 */
export function follow({ authority, everyMs, report }: FollowDeps): Followed {
  const ending = new AbortController();
  let current: Served | undefined;
  let known = '';
  let failing = false;
  const changes = new Changes();
  const listeners: ((served: Served) => void)[] = [];

  function take(answer: Served): void {
    const served = withKnownLists(answer, current);
    const text = textOf(served);
    if (text === known) return;
    known = text;
    current = served;
    for (const each of listeners) each(served);
    changes.tell();
  }

  async function once(): Promise<void> {
    try {
      take(await authority.served(ending.signal));
      if (failing) report('the authority answers again');
      failing = false;
    } catch (error) {
      if (ending.signal.aborted) return;
      // Said by the authority itself: this agent serves nobody any more.
      if (error instanceof AuthorityRefused) take(withoutAny(current));
      if (!failing) report((error as Error).message);
      failing = true;
    }
  }

  void (async () => {
    while (!ending.signal.aborted) {
      await once();
      await sleep(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();

  return {
    current: () => current,
    changed: (signal) => changes.next(signal),
    onChange: (listener) => void listeners.push(listener),
    close: () => ending.abort(),
  };
}

function withoutAny(served: Served | undefined): Served {
  const none = {
    trustDomain: '',
    jwtBundles: new Map(),
    x509Bundles: new Map(),
    issuers: [],
    crl: [],
    crlContent: '',
  };
  return { ...(served ?? none), registrations: [] };
}

/** Another node's lists that say the same are no news. */
function withKnownLists(answer: Served, known: Served | undefined): Served {
  const same = known !== undefined && answer.crlContent !== '' && answer.crlContent === known.crlContent;
  return same ? { ...answer, crl: known.crl } : answer;
}

function textOf(served: Served): string {
  const bundles = [...served.x509Bundles].map(([name, list]) => [name, list.map(base64)]);
  return JSON.stringify([
    served.trustDomain,
    served.registrations,
    [...served.jwtBundles],
    bundles,
    served.issuers?.map(base64),
    served.crl.map(base64),
  ]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
