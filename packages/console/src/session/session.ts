// Who is signed in, in the memory of this page alone. Other tabs of the same address may have it from here while one is open;
// nothing of it is ever written down.
import type { SessionKey } from './proof.ts';

export interface Session {
  readonly authority: string;
  readonly token: string;
  /** The token is bound to it, and it cannot be taken out of the browser: elsewhere the token is worth nothing. */
  readonly key: SessionKey;
  /** Milliseconds by which the authority's clock is ahead of this browser's. */
  readonly ahead: number;
  /** Epoch milliseconds of this browser. */
  readonly expiresAt: number;
}

type Message =
  | { readonly kind: 'asked' }
  | { readonly kind: 'told'; readonly session: Session }
  | { readonly kind: 'ended' };

/** How long another tab has to answer. */
const ANSWER_MS = 150;

export interface SessionHolder {
  current(): Session | undefined;
  /** Called when somebody signs in or out, in this tab or another. */
  subscribe(listener: () => void): () => void;
  begin(session: Session): void;
  /** Forgets it, here and in every other tab. */
  end(): void;
  /** What another tab has; undefined when none has. */
  askOthers(): Promise<Session | undefined>;
}

export function createSessionHolder(authority: string): SessionHolder {
  // Another authority may stand below another path of this origin.
  const channel = new BroadcastChannel(`countersign session ${authority}`);
  const listeners = new Set<() => void>();
  let session: Session | undefined;
  const set = (next: Session | undefined): void => {
    session = next;
    for (const listener of listeners) listener();
  };
  const live = (): Session | undefined =>
    session !== undefined && session.expiresAt > Date.now() ? session : undefined;
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    const mine = live();
    if (data.kind === 'asked' && mine !== undefined) {
      channel.postMessage({ kind: 'told', session: mine } satisfies Message);
    }
    if (data.kind === 'told' && mine === undefined && data.session.expiresAt > Date.now()) set(data.session);
    if (data.kind === 'ended' && session !== undefined) set(undefined);
  });
  return {
    current: () => session,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    begin(next) {
      set(next);
      channel.postMessage({ kind: 'told', session: next } satisfies Message);
    },
    end() {
      set(undefined);
      channel.postMessage({ kind: 'ended' } satisfies Message);
    },
    async askOthers() {
      channel.postMessage({ kind: 'asked' } satisfies Message);
      const deadline = Date.now() + ANSWER_MS;
      while (session === undefined && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return live();
    },
  };
}
