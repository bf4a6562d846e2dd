/**
 * Verifiers of one process, for `cutoff.mjs`: each follows the cut-off feed by itself. Driven by messages of the parent,
 * which are answered in kind. Times are epoch milliseconds: parent and children share a machine.
 */
import { createVerifier } from '@countersign/resource-server';

const LOOK_EVERY_MS = 10;
const REFUSED = 'cut_off';

/** @type {import('@countersign/resource-server').Verifier[]} */
let verifiers = [];
let busy = true;

const tell = (message) => process.send?.(message);
const reasonOf = async (verifier, token) => {
  const result = await verifier.verify(token);
  return result.ok ? 'ok' : result.reason;
};

const DOES = {
  async open({ issuer, audience, count, staleAfter, load }) {
    const options = { issuer, audience, cutoffs: { staleAfter } };
    verifiers = Array.from({ length: count }, () => createVerifier(options));
    await Promise.all(verifiers.map((each) => each.ready()));
    if (load !== undefined) void keepBusy(load);
    tell({ is: 'open' });
  },

  /** Looks at one token with every verifier until all of them refuse it. */
  async watch({ name, token }) {
    const before = await Promise.all(verifiers.map((each) => reasonOf(each, token)));
    tell({ is: 'watching', name, accepted: before.filter((reason) => reason === 'ok').length });
    const refusedAt = verifiers.map(() => undefined);
    let takenAgain = 0;
    let stale = 0;
    while (refusedAt.includes(undefined)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      const reasons = await Promise.all(verifiers.map((each) => reasonOf(each, token)));
      const now = Date.now();
      for (const [at, reason] of reasons.entries()) {
        if (reason === REFUSED) refusedAt[at] ??= now;
        else if (reason === 'ok' && refusedAt[at] !== undefined) takenAgain++;
        else if (reason !== 'ok') stale++;
      }
    }
    tell({ is: 'refused', name, refusedAt, takenAgain, stale });
  },

  /** What becomes of many tokens now, by the first verifier. */
  async judge({ name, tokens }) {
    const reasons = {};
    for (const token of tokens) {
      const reason = await reasonOf(verifiers[0], token);
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    tell({ is: 'judged', name, reasons });
  },

  /** Looks at one token as often as it can; the parent stops this process meanwhile. */
  async glance({ name, token, forMs }) {
    const seen = [];
    let lastTakenAt = 0;
    for (const end = Date.now() + forMs; Date.now() < end; ) {
      const reason = await reasonOf(verifiers[0], token);
      if (reason === 'ok') lastTakenAt = Date.now();
      if (seen.at(-1) !== reason) seen.push(reason);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    tell({ is: 'glanced', name, seen, lastTakenAt });
  },

  async close() {
    busy = false;
    await Promise.all(verifiers.map((each) => each.close()));
    tell({ is: 'closed' });
    process.disconnect?.();
  },
};

/** Gets tokens and verifies each with a few verifiers, in a steady stream; what fails meanwhile is tried again. */
async function keepBusy({ endpoint, authorization, resource, tokensPerSecond, verificationsPerToken }) {
  let turn = 0;
  while (busy) {
    const started = Date.now();
    try {
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
      });
      const { access_token: token } = await answer.json();
      for (let i = 0; i < verificationsPerToken; i++)
        await verifiers[turn++ % verifiers.length].verify(token);
    } catch {
      // The authority is killed in the middle of it.
    }
    const rest = 1000 / tokensPerSecond - (Date.now() - started);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
  }
}

process.on('message', ({ do: what, ...rest }) => {
  DOES[what](rest).catch((error) => tell({ is: 'failed', what, error: String(error?.stack ?? error) }));
});
