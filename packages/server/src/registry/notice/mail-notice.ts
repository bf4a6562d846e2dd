import type { ToldChange } from '../../audit/change.ts';
import type { Notice } from './notice.ts';
import { oneLine } from './one-line.ts';

/** What somebody is told by mail of one change. */
export interface MailNotice {
  /** `owner:<id of an identity>`, `person:<handle>` or `team:<name>`. */
  readonly recipient: string;
  /** One line, which says it all. */
  readonly subject: string;
}

type View = Readonly<Record<string, unknown>>;

const LONGEST = 200;
const MOST_REVIEWERS = 200;

/** Who is told of a change by mail, and what: those whom it is about and who may have to do something, nobody else. */
export function mailNoticesOf(change: ToldChange, notice: Notice): readonly MailNotice[] {
  const [noun = ''] = change.type.split('.', 1);
  const write = MAILS[noun];
  if (write === undefined) return [];
  const mails = write(change, notice, viewOf(change.before), viewOf(change.after) ?? {});
  return mails.map(({ recipient, subject }) => ({ recipient, subject: oneLine(subject, LONGEST) }));
}

type Write = (
  change: ToldChange,
  notice: Notice,
  before: View | undefined,
  after: View,
) => readonly MailNotice[];

const MAILS: Readonly<Record<string, Write>> = {
  identity: (change, notice, before, after) => {
    if (before === undefined || before['state'] === after['state']) return [];
    const subject = `${nameOf(notice)} is ${textOf(after, 'state')}${why(notice)}`;
    return [{ recipient: `owner:${change.resource}`, subject }];
  },

  ownership: (change, notice) => {
    const said = OWNERSHIP[change.type];
    if (said === undefined) return [];
    return [{ recipient: `owner:${change.resource}`, subject: `${nameOf(notice)} ${said}${why(notice)}` }];
  },

  credential: ({ type }, notice, _before, after) => {
    const said = CREDENTIAL[type];
    const { identity } = notice.data;
    if (said === undefined || identity === undefined) return [];
    const ends = type === 'credential.expiring' ? ` on ${textOf(after, 'expires_at').slice(0, 10)}` : '';
    const subject = `${identity.client_id}: the credential ${nameOf(notice)} ${said}${ends}`;
    return [
      {
        recipient: `owner:${identity.id}`,
        subject: type === 'credential.expiring' ? subject : subject + why(notice),
      },
    ];
  },

  finding: (_change, notice, before, after) => {
    const { identity, reason } = notice.data;
    const isHigh = (view: View | undefined): boolean =>
      view !== undefined && view['severity'] === 'high' && view['state'] === 'open';
    if (identity === undefined || !isHigh(after) || isHigh(before)) return [];
    return [
      { recipient: `owner:${identity.id}`, subject: `${identity.client_id}: ${reason ?? nameOf(notice)}` },
    ];
  },

  ownership_offer: (_change, _notice, before, after) => {
    const candidate = textOf(after, 'candidate');
    if (after['state'] !== 'open' || candidate === '' || before?.['candidate'] === candidate) return [];
    const [machine, from] = [textOf(after, 'client_id'), textOf(after, 'from')];
    return [
      {
        recipient: `person:${candidate}`,
        subject: `${machine} is offered to you by ${from}: accept it, or it goes on to others`,
      },
    ];
  },

  review: ({ type }, notice, _before, after) => {
    const due = textOf(after, 'due_at').slice(0, 10);
    const late = type === 'review.overdue' ? `it was due on ${due}` : `until ${due}`;
    return waitingIn(after).map(({ reviewer, items }) => ({
      recipient: reviewer,
      subject: `${items} ${items === 1 ? 'access waits' : 'accesses wait'} for your decision in the review ${nameOf(notice)}, ${late}`,
    }));
  },

  review_item: (_change, notice, before, after) => {
    const reviewer = textOf(after, 'reviewer');
    if (before === undefined || !isReviewer(reviewer) || before['reviewer'] === reviewer) return [];
    if (after['state'] !== 'pending') return [];
    const machine = notice.data.identity?.client_id ?? 'a machine';
    return [{ recipient: reviewer, subject: `an access of ${machine} waits for your decision in a review` }];
  },
};

const OWNERSHIP: Readonly<Record<string, string>> = {
  'ownership.orphaned': 'has lost its owner, and you answer for it',
  'ownership.escalated': 'still has no owner',
  'ownership.overdue': 'has been without an owner for too long',
  'ownership.lost': 'is suspended, for nobody took it over',
};

const CREDENTIAL: Readonly<Record<string, string>> = {
  'credential.expiring': 'ends',
  'credential.expired': 'has ended',
  'credential.rotated': 'was rotated',
  'credential.leaked': 'has leaked',
};

function viewOf(value: unknown): View | undefined {
  return typeof value === 'object' && value !== null ? (value as View) : undefined;
}

function textOf(view: View, member: string): string {
  const value = view[member];
  return typeof value === 'string' ? value : '';
}

function nameOf({ data: { resource } }: Notice): string {
  return resource.name ?? resource.id;
}

function why({ data: { reason } }: Notice): string {
  return reason === undefined ? '' : `: ${reason}`;
}

/** Roles have no address. */
function isReviewer(text: string): boolean {
  return text.startsWith('person:') || text.startsWith('team:');
}

function waitingIn(after: View): readonly { readonly reviewer: string; readonly items: number }[] {
  const { waiting } = after;
  if (!Array.isArray(waiting)) return [];
  return (waiting as readonly unknown[]).slice(0, MOST_REVIEWERS).flatMap((each) => {
    const view = viewOf(each) ?? {};
    const { reviewer, items } = view;
    if (typeof reviewer !== 'string' || typeof items !== 'number' || !isReviewer(reviewer)) return [];
    return [{ reviewer, items }];
  });
}
