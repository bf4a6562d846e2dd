import { OutboundRefusal } from './outbound-refusal.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** What `work` comes to, unless the time is over first; resolution cannot be called off, only no longer waited for. */
  before<T>(work: Promise<T>): Promise<T>;
  end(): void;
}

/** The time that one exchange has for everything. It is over early when `stop` is aborted. */
export function createDeadline(timeoutMs: number, host: string, stop?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expire: (reason: OutboundRefusal) => void = () => undefined;
  const expired = new Promise<never>((_, reject) => (expire = reject));
  expired.catch(() => undefined);
  const over = (): void => {
    expire(new OutboundRefusal('timed_out', host));
    controller.abort();
  };
  const timer = setTimeout(over, timeoutMs);
  stop?.addEventListener('abort', over, { once: true });
  if (stop?.aborted === true) over();
  return {
    signal: controller.signal,
    before(work) {
      work.catch(() => undefined);
      return Promise.race([work, expired]);
    },
    end() {
      clearTimeout(timer);
      stop?.removeEventListener('abort', over);
    },
  };
}
