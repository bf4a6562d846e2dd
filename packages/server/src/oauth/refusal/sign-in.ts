// Why a person is not signed in: OpenID Connect Core §3.1.3.7, RFC 8693 §2.2.2.
import { CORRECT_THE_CLIENT, denied, malformed, type Reasons } from './entry.ts';

export type SignInReason =
  | 'sign_in_malformed'
  | 'sign_in_with_client_proof'
  | 'sign_in_not_offered'
  | 'sign_in_token_refused'
  | 'sign_in_no_handle'
  | 'sign_in_no_role'
  | 'sign_in_person_left';

/** One text for all that a stranger may try. */
const NOT_SIGNED_IN = {
  code: 'invalid_grant',
  status: 400,
  description: 'the sign-in is not acceptable',
  stranger: true,
} as const;

export const SIGN_IN: Reasons<SignInReason> = {
  sign_in_malformed: {
    ...malformed('subject_token, subject_token_type of an ID token, and nonce_verifier are needed'),
    why: 'The request of a person to sign in lacks a parameter, or has one that does not belong there.',
    fix: CORRECT_THE_CLIENT,
  },
  sign_in_with_client_proof: {
    ...malformed('a person signs in without client authentication'),
    why: 'The clients through which people sign in are public, and the request came with the proof of a client.',
    fix: 'Leave client authentication out: a machine gets its tokens under its own client_id.',
  },
  sign_in_not_offered: {
    ...NOT_SIGNED_IN,
    why: 'No trusted issuer of kind people is active here.',
    fix: 'Create one: countersign trusted-issuers create --kind people (docs/guide/sign-in.md)',
  },
  sign_in_token_refused: {
    ...NOT_SIGNED_IN,
    why: 'The ID token is not acceptable: the detail says why (fault).',
    fix: 'Sign in again. For a wrong audience compare client_id of the trusted issuer with the provider; for keys see whether its metadata can be fetched.',
  },
  sign_in_no_handle: {
    ...denied('access_denied', 'the provider does not say who this is'),
    why: 'The claim that names people (handle_claim) is missing, not verified, or not of visible ASCII.',
    fix: 'Let the provider put the claim into ID tokens, or name another one: countersign trusted-issuers update',
  },
  sign_in_no_role: {
    ...denied('access_denied', 'no group of this person has a role here'),
    why: 'None of the groups in the ID token stands for a role.',
    fix: 'Add the person to a group that has one, or give a group a role: countersign trusted-issuers update',
  },
  sign_in_person_left: {
    ...denied('access_denied', 'this person may not sign in'),
    why: 'The directory says that this person has left.',
    fix: 'If that is wrong, correct it there.',
  },
};
