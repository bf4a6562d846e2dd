import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { newId, type RandomBytes } from '../../ids.ts';
import type { Storage } from '../../storage/storage.ts';
import {
  digestMail,
  type DigestStores,
  readDigest,
  readReviewing,
  type Reviewing,
} from '../notices/digest.ts';
import type { Job } from './job.ts';

export interface WriteDigestsDeps {
  readonly storage: DigestStores & Pick<Storage, 'mails' | 'settings'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly issuer: string;
  /** 0 = Sunday. Undefined: no digests. */
  readonly digestDay: number | undefined;
}

const EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
/** UTC. */
const HOUR = 7;
const OWNERS = 200;
/** The week whose digests are all written, as the day that it begins with. */
const DONE = 'notices.digests_of';

/**
 * Once a week a digest for everybody who owns something that needs them. Any number of nodes may write them at once: of one
 * owner's for one week there is one, and what died halfway is taken up again.
 */
export function writeDigestsJob(deps: WriteDigestsDeps): Job {
  return {
    name: 'write-digests',
    everyMs: EVERY_MS,
    async run(signal) {
      if (deps.digestDay === undefined) return;
      const { settings } = deps.storage;
      const week = weekOf(deps.clock.now(), deps.digestDay);
      // A deployment that begins in the middle of a week tells of it when it is over.
      if (await settings.setOnce(DONE, week)) return;
      if ((await settings.get(DONE)) === week) return;
      const reviewing = await readReviewing(deps.storage);
      for (let after = ''; ; ) {
        const owners = await deps.storage.identities.owners(after, OWNERS);
        for (const owner of owners) {
          if (signal.aborted) return;
          await writeDigest(deps, week, owner, reviewing);
        }
        const last = owners.at(-1);
        if (last === undefined || owners.length < OWNERS) break;
        after = last;
      }
      await settings.set(DONE, week);
    },
  };
}

async function writeDigest(
  deps: WriteDigestsDeps,
  week: string,
  owner: string,
  reviewing: Reviewing,
): Promise<void> {
  const now = deps.clock.now();
  const digest = await readDigest(deps.storage, owner, reviewing, now, async () => void (await turn()));
  const mail = digestMail(digest, deps.issuer);
  if (mail === undefined) return;
  await deps.storage.mails.insert({
    id: newId('mal', deps.random),
    kind: 'digest',
    recipient: `person:${owner}`,
    dedupe: `digest:${week}:${owner}`,
    ...mail,
    state: 'waiting',
    attempts: 0,
    nextAt: now,
    lastError: undefined,
    createdAt: now,
    finishedAt: undefined,
  });
}

/** The last day of this name on which it was seven o'clock, UTC. */
function weekOf(now: number, day: number): string {
  const shifted = new Date(now - HOUR * 3_600_000);
  const since = (shifted.getUTCDay() - day + 7) % 7;
  return new Date(shifted.getTime() - since * DAY_MS).toISOString().slice(0, 10);
}
