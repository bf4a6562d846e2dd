import { type MailDeps, sendWaiting } from '../notices/send-waiting.ts';
import type { Job } from './job.ts';

/** What happens within this time goes out together. */
const EVERY_MS = 15_000;
const DAY_MS = 86_400_000;
/** Longer than a week: no digest of it is written twice. */
const KEPT_MS = 30 * DAY_MS;
const FORGOTTEN_AT_ONCE = 1000;

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
      const failed = await sendWaiting(deps, signal);
      await deps.storage.mails.forget(deps.clock.now() - KEPT_MS, FORGOTTEN_AT_ONCE);
      if (failed !== undefined)
        throw new Error(`the mail server takes no mail: ${failed}; it is tried again`);
    },
  };
}
