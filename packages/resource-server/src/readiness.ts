// Waiting for an authority at start; it is found as RFC 8414 §3 says.
import { DiscoveryError, isCertificateFailure } from '@countersign/protocol/discovery';
import { NotReadyError } from './not-ready.ts';

const GIVE_UP_AFTER_MS = 30_000;
const RETRY_AFTER_MS = 500;

/** What must be known of one authority before tokens can be judged. */
export interface Awaited {
  readonly keys: { load(): Promise<void> };
  readonly cutoffs: { tried(): Promise<void>; followed(): Promise<void>; lastFailure(): unknown } | undefined;
}

/**
 * @throws NotReadyError after 30 seconds; at once when a certificate is not trusted, when the issuer calls itself otherwise, or when
 * `signal` is aborted
 */
export async function waitUntilReady(authorities: readonly Awaited[], signal: AbortSignal): Promise<void> {
  let lastFailure: unknown;
  let done = false;
  const loadKeys = async (authority: Awaited): Promise<void> => {
    while (!done) {
      try {
        return await authority.keys.load();
      } catch (error) {
        if (isCertificateFailure(error) || isOfAnother(error)) throw error;
        lastFailure = error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
      }
    }
  };
  const everything = Promise.all(
    authorities.map(async (authority) => {
      await loadKeys(authority);
      await followCutoffs(authority);
    }),
  );
  await new Promise<void>((resolve, reject) => {
    const giveUp = (cause: unknown): void => reject(new NotReadyError(cause));
    const onAbort = (): void => giveUp(new Error('the verifier was closed'));
    const timer = setTimeout(() => {
      giveUp(lastFailure ?? authorities.map(({ cutoffs }) => cutoffs?.lastFailure()).find(Boolean));
    }, GIVE_UP_AFTER_MS);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    everything
      .then(() => resolve(), giveUp)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      });
  }).finally(() => {
    done = true;
  });
}

async function followCutoffs({ cutoffs }: Awaited): Promise<void> {
  if (cutoffs === undefined) return;
  await cutoffs.tried();
  // With a key set that was given, the feed is the first thing that is fetched.
  const failure = cutoffs.lastFailure();
  if (isCertificateFailure(failure)) throw failure;
  await cutoffs.followed();
}

/** Waiting does not help: who serves that address goes by another name. */
function isOfAnother(error: unknown): boolean {
  return error instanceof DiscoveryError && error.code === 'issuer_mismatch';
}
