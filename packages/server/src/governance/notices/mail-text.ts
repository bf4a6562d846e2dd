import { oneLine } from '../../registry/notice/one-line.ts';

/** Of one mail; what is more goes into another. */
export const MOST_IN_A_MAIL = 100;

const LONGEST_SUBJECT = 150;

/** What waits for one address, as one mail. */
export function noticeMail(
  subjects: readonly string[],
  issuer: string,
): { readonly subject: string; readonly text: string } {
  const [only = ''] = subjects;
  const subject =
    subjects.length === 1 ? only : `${subjects.length} notices about machines that you answer for`;
  const lines = subjects.map((each) => `- ${each}`);
  return { subject: oneLine(subject, LONGEST_SUBJECT), text: `${lines.join('\n')}\n\n${footOf(issuer)}` };
}

/** Why somebody gets this, and from whom. */
export function footOf(issuer: string): string {
  return `You get this because machines of ${issuer} name you as their owner or backup, or your team, or ask you to decide.\nWhat there is to see and to do: countersign --help\n`;
}
