// An assertion as a grant says nobody who may act: RFC 7521 §4.1.1, RFC 7523 §3.1.
import { malformed, type Reasons, type RefusalAnswer } from './entry.ts';

export type AssertionReason =
  | 'assertion_missing'
  | 'assertion_malformed'
  | 'assertion_issuer_unknown'
  | 'assertion_issuer_suspended'
  | 'assertion_issuer_of_people'
  | 'assertion_wrong_typ'
  | 'assertion_algorithm_not_allowed'
  | 'assertion_keys_unavailable'
  | 'assertion_key_unknown'
  | 'assertion_signature'
  | 'assertion_audience'
  | 'assertion_expired'
  | 'assertion_not_yet_valid'
  | 'assertion_stale'
  | 'assertion_no_rule'
  | 'assertion_condition_not_met'
  | 'assertion_rule_not_usable'
  | 'assertion_ambiguous'
  | 'assertion_of_another_client'
  | 'assertion_replayed';

/** RFC 7521 §4.1.1 invalid_grant: one text for all of them, as for clients who cannot prove who they are. */
const BAD_ASSERTION: RefusalAnswer = {
  code: 'invalid_grant',
  status: 400,
  description: 'the assertion is not acceptable',
  stranger: true,
};

export const ASSERTION: Reasons<AssertionReason> = {
  assertion_missing: {
    ...malformed('assertion is missing'),
    why: 'The request has no assertion.',
    fix: 'Send the token of the platform as the parameter assertion.',
  },
  assertion_malformed: {
    ...BAD_ASSERTION,
    why: 'The assertion is no signed JWT with iss, sub, aud and exp of the right kinds.',
    fix: 'Send the token of the platform as it is. Kubernetes: not the token of a Secret, but a projected one.',
  },
  assertion_issuer_unknown: {
    ...BAD_ASSERTION,
    why: 'The issuer that the assertion names (iss) is none that is trusted here; every character counts.',
    fix: 'Compare iss with: countersign trusted-issuers list',
  },
  assertion_issuer_suspended: {
    ...BAD_ASSERTION,
    why: 'The issuer of the assertion is suspended here.',
    fix: 'When it may be trusted again: countersign trusted-issuers update ISSUER --state active',
  },
  assertion_issuer_of_people: {
    ...BAD_ASSERTION,
    why: 'The issuer of the assertion vouches for people, and a machine came with it.',
    fix: 'Trust another issuer for machines; if a person meant to sign in: countersign login',
  },
  assertion_wrong_typ: {
    ...BAD_ASSERTION,
    why: 'The JWT says of itself (typ) that it is something else than an assertion: an access token, a proof, an event.',
    fix: 'Send the identity token of the platform.',
  },
  assertion_algorithm_not_allowed: {
    ...BAD_ASSERTION,
    why: 'The assertion is signed with an algorithm that its issuer is not allowed here.',
    fix: 'If the issuer really signs so: countersign trusted-issuers update ISSUER --algorithms …',
  },
  assertion_keys_unavailable: {
    ...BAD_ASSERTION,
    why: 'The keys of the issuer could not be fetched, so nothing of it can be believed.',
    fix: 'Make its metadata or jwks_uri reachable (private addresses: the setting outbound-allow), or give its jwks.',
  },
  assertion_key_unknown: {
    ...BAD_ASSERTION,
    why: 'The key that signed the assertion is not among those that its issuer publishes, or more than one fits.',
    fix: 'After a rotation it is found within 30 s; keys that were given as jwks have to be renewed by hand.',
  },
  assertion_signature: {
    ...BAD_ASSERTION,
    why: 'The signature of the assertion is wrong: it was changed, or somebody else made it.',
    fix: 'If this goes on, somebody forges tokens: look at the source of the request.',
  },
  assertion_audience: {
    ...BAD_ASSERTION,
    why: 'The assertion is not for this authority alone.',
    fix: 'Let the platform issue it for the audience that is taken here, and for no other.',
  },
  assertion_expired: {
    ...BAD_ASSERTION,
    why: 'The assertion has expired.',
    fix: 'Ask the platform for a new one right before.',
  },
  assertion_not_yet_valid: {
    ...BAD_ASSERTION,
    why: 'The assertion is of the future.',
    fix: 'Compare the clocks of the issuer and of the authority.',
  },
  assertion_stale: {
    ...BAD_ASSERTION,
    why: 'The assertion was issued too long ago for this issuer, whatever it says about its end.',
    fix: 'Ask the platform for a new one, or raise max_token_age of the trusted issuer: for a token that is taken once, of those issued afterwards.',
  },
  assertion_no_rule: {
    ...BAD_ASSERTION,
    why: 'The issuer is trusted, but no identity has a rule for this subject.',
    fix: 'If it should be let in: countersign credentials create IDENTITY --type federated …',
  },
  assertion_condition_not_met: {
    ...BAD_ASSERTION,
    why: 'There are rules for this subject, but the assertion differs from each of them.',
    fix: 'If it should be let in, change the workload, or make another rule with the value that it has.',
  },
  assertion_rule_not_usable: {
    ...BAD_ASSERTION,
    why: 'The assertion meets a rule, but its identity or credential may not act now.',
    fix: 'See the identity and its credentials as they are now.',
  },
  assertion_ambiguous: {
    ...BAD_ASSERTION,
    why: 'The assertion meets rules of several identities: which one asks would be a guess.',
    fix: 'Give their rules another condition that tells them apart, or revoke all but one.',
  },
  assertion_of_another_client: {
    ...BAD_ASSERTION,
    why: 'The request names or proves another client than the one that the assertion belongs to.',
    fix: 'Leave client_id out, or send the right one.',
  },
  assertion_replayed: {
    ...BAD_ASSERTION,
    why: 'The assertion was used before, and tokens of its issuer are taken once.',
    fix: 'Ask the platform for a new token for each request. If this was not the workload itself, somebody has its token.',
  },
};
