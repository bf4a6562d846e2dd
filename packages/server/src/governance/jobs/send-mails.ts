import { TRIED_FOR_MS } from '../notices/schedule.ts';
import { type MailDeps, sendWaiting } from '../notices/send-waiting.ts';
import type { Job } from './job.ts';

/** What happens within this time goes out together. */
const EVERY_MS = 15_000;
const DAY_MS = 86_400_000;
/** Longer than a week: no digest of it is written twice. */
const KEPT_MS = 30 * DAY_MS;
const FORGOTTEN_AT_ONCE = 1000;
const GIVEN_UP_AT_ONCE = 10_000;

/** Sends mails. The first run sends nothing: no start waits for a mail server. */
export function sendMailsJob(deps: MailDeps): Job {
  let started = false;
  return {
    name: 'send-mails',
    everyMs: EVERY_MS,
    async run(signal) {
      if (!started) {
        started = true;
        return;
      }
      const { storage, clock } = deps;
      // While no server takes anything only the first mail of each run is tried: the others grow old beside it.
      const now = clock.now();
      await storage.mails.giveUp(now - TRIED_FOR_MS, now, 'no server took it', GIVEN_UP_AT_ONCE);
      const failed = await sendWaiting(deps, signal);
      await storage.mails.forget(clock.now() - KEPT_MS, FORGOTTEN_AT_ONCE);
      if (failed !== undefined)
        throw new Error(`the mail server takes no mail: ${failed}; it is tried again`);
    },
  };
}
