// The authority cannot, now: temporarily_unavailable of RFC 6749 §4.1.2.1.
import { answeredBy, type Reasons, type RefusalAnswer } from './entry.ts';

export type OutageReason = 'audit_unavailable' | 'storage_unavailable';

const LATER: RefusalAnswer = {
  code: 'temporarily_unavailable',
  status: 503,
  description: 'try again later',
  stranger: false,
};
const RETRY = 'Try again; if it stays so, look at the readiness and the log of the authority.';

export const OUTAGE: Reasons<OutageReason> = answeredBy(LATER, {
  audit_unavailable: {
    why: 'The audit log could not be written, and nothing leaves without its record.',
    fix: RETRY,
  },
  storage_unavailable: {
    why: 'The database did not answer.',
    fix: RETRY,
  },
});
