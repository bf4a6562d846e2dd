// A device that claims its identity with a one-off code and the key of its first certificate (RFC 2986 §3).
import { NOT_AUTHENTICATED } from './client-authentication.ts';
import { answeredBy, CORRECT_THE_CLIENT, denied, malformed, type Reasons } from './entry.ts';

type CodeReason =
  | 'claim_code_malformed'
  | 'claim_code_unknown'
  | 'claim_code_used'
  | 'claim_code_revoked'
  | 'claim_code_expired'
  | 'claim_code_void';

export type DeviceClaimReason = CodeReason | 'claim_code_missing' | 'claim_csr_missing' | 'claim_refused';

const ANOTHER = 'Make another code for the device: countersign devices code';

/** From outside no two of them can be told apart. */
const CODES: Reasons<CodeReason> = answeredBy(NOT_AUTHENTICATED, {
  claim_code_malformed: {
    why: 'What came as a claim code is none: its shape or its checksum is wrong. Nothing was looked up.',
    fix: 'Look for a code that was cut off or mistyped.',
  },
  claim_code_unknown: { why: 'There is no such claim code.', fix: ANOTHER },
  claim_code_used: {
    why: 'A device has claimed with this code already, with another key. If that was not the one that is meant, somebody else has its identity.',
    fix: 'Look at it: countersign certificates list --identity. If it was not the device: countersign cutoffs create --kind credential, then make another code.',
  },
  claim_code_revoked: { why: 'The claim code was revoked, or another one took its place.', fix: ANOTHER },
  claim_code_expired: { why: 'The claim code has expired.', fix: ANOTHER },
  claim_code_void: {
    why: 'The identity has changed its state since the code was made, as by a suspension: what was handed out before counts no more.',
    fix: ANOTHER,
  },
});

export const DEVICE_CLAIM: Reasons<DeviceClaimReason> = {
  ...CODES,
  claim_code_missing: {
    ...malformed('code is missing'),
    why: 'The request brings no claim code.',
    fix: CORRECT_THE_CLIENT,
  },
  claim_csr_missing: {
    ...malformed('csr is missing'),
    why: 'The request brings no certification request.',
    fix: CORRECT_THE_CLIENT,
  },
  claim_refused: {
    ...denied('access_denied', 'this device gets no certificate'),
    why: 'The code is right, and a rule stands against it; the detail of the event says which: the request cannot be read or is not signed by its key, the key is another machine’s, the identity does not work or ends too soon, or a policy refuses it.',
    fix: 'Make right what the detail says; the code is still good.',
  },
};
