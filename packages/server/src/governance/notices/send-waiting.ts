import type { Clock } from '../../clock.ts';
import type { RandomBytes } from '../../ids.ts';
import { addressOf } from '../../registry/notice/address.ts';
import type { MailRecord } from '../../storage/mails.ts';
import type { Storage } from '../../storage/storage.ts';
import { MOST_IN_A_MAIL, noticeMail } from './mail-text.ts';
import { TRIED_FOR_MS, waitAfter } from './schedule.ts';

/** Hands one mail to a server: sent, refused for ever, or not now. */
export type SendMail = (mail: {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
}) => Promise<{ readonly kind: 'sent' } | { readonly kind: 'refused' | 'failed'; readonly reason: string }>;

export interface MailDeps {
  readonly storage: Pick<Storage, 'mails' | 'people' | 'teams' | 'identities'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly issuer: string;
  readonly sendMail: SendMail;
}

const PAGE = 500;
/** Longer than all that is taken at once needs: whoever died during it leaves it to others. */
const LEASE_MS = 10 * 60_000;

/**
 * Sends what is due: what waits for one address in one mail. Each is taken by one node only; one that died is sent again, with
 * the same Message-ID. Stops at the first mail that cannot be sent now, and gives why.
 */
export async function sendWaiting(deps: MailDeps, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted) {
    const taken = await take(deps);
    for (const [address, mails] of await byAddress(deps, taken)) {
      if (signal.aborted) return undefined;
      const failed = await sendTo(deps, address, mails);
      if (failed !== undefined) return failed;
    }
    if (taken.length < PAGE) return undefined;
  }
  return undefined;
}

async function take({ storage, clock }: MailDeps): Promise<readonly MailRecord[]> {
  const due = await storage.mails.due(clock.now(), PAGE);
  const taken: MailRecord[] = [];
  for (const each of due) {
    if (await storage.mails.claim(each.id, each.attempts, clock.now() + LEASE_MS)) taken.push(each);
  }
  return taken;
}

/** What each address gets, in mails of a bounded size. Whom nobody knows how to reach is not waited for. */
async function byAddress(
  deps: MailDeps,
  taken: readonly MailRecord[],
): Promise<readonly (readonly [string, readonly MailRecord[]])[]> {
  const addresses = new Map<string, string | undefined>();
  const open = new Map<string, MailRecord[]>();
  const groups: [string, MailRecord[]][] = [];
  for (const mail of taken) {
    if (!addresses.has(mail.recipient)) {
      addresses.set(mail.recipient, await addressOf(deps.storage, mail.recipient));
    }
    const address = addresses.get(mail.recipient);
    if (address === undefined) {
      await settle(deps, mail, { kind: 'refused', reason: 'nobody is known to be reached by mail' });
      continue;
    }
    let group = mail.kind === 'digest' ? undefined : open.get(address);
    if (group === undefined || group.length >= MOST_IN_A_MAIL) {
      group = [];
      groups.push([address, group]);
      if (mail.kind === 'notice') open.set(address, group);
    }
    group.push(mail);
  }
  return groups;
}

async function sendTo(deps: MailDeps, to: string, mails: readonly MailRecord[]): Promise<string | undefined> {
  const [first] = mails;
  if (first === undefined) return undefined;
  const { subject, text } =
    first.kind === 'digest'
      ? { subject: first.subject, text: first.body }
      : noticeMail(
          mails.map((each) => each.subject),
          deps.issuer,
        );
  const messageId = `<${first.id}.${mails.length}@${new URL(deps.issuer).hostname}>`;
  const result = await deps.sendMail({ to, subject, text, messageId });
  for (const each of mails) await settle(deps, each, result);
  return result.kind === 'failed' ? result.reason : undefined;
}

async function settle(
  { storage, clock, random }: MailDeps,
  mail: MailRecord,
  result: Awaited<ReturnType<SendMail>>,
): Promise<void> {
  const now = clock.now();
  const attempts = mail.attempts + 1;
  const nextAt = now + waitAfter(attempts, random);
  const over = result.kind === 'failed' && nextAt - mail.createdAt > TRIED_FOR_MS;
  const state = result.kind === 'sent' ? 'sent' : result.kind === 'failed' && !over ? 'waiting' : 'given_up';
  await storage.mails.settle(mail.id, attempts, {
    state,
    nextAt,
    lastError: result.kind === 'sent' ? undefined : result.reason,
    finishedAt: state === 'waiting' ? undefined : now,
  });
}
