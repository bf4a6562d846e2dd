// What this authority does not allow, or not so often: access_denied of RFC 6749 §4.1.2.1, RFC 6585 §4.
import { denied, type Reasons, type RefusalAnswer } from './entry.ts';

export type PolicyRefusalReason =
  | 'api_key_rate_exceeded'
  | 'issuance_quota_exceeded'
  | 'proof_share_used_up'
  | 'revocation_rate_exceeded'
  | 'method_not_allowed'
  | 'credential_too_old'
  | 'lifetime_exhausted'
  | 'network_not_allowed'
  | 'outside_time_window'
  | 'binding_required'
  | 'policy_enforced';

/** RFC 6585 §4. Of the registered codes, temporarily_unavailable is what it is: the same request will do later. */
const USED_UP: RefusalAnswer = {
  code: 'temporarily_unavailable',
  status: 429,
  description: 'too many requests of this client',
  stranger: false,
};
const NOT_ALLOWED = denied('access_denied', 'a policy of this authority does not allow it');

export const POLICY: Reasons<PolicyRefusalReason> = {
  api_key_rate_exceeded: {
    ...USED_UP,
    why: 'This API key was exchanged more often than the setting api-key-rate allows.',
    fix: 'Let the API that is called with it keep the token until it ends; or raise the setting.',
  },
  issuance_quota_exceeded: {
    ...USED_UP,
    why: 'The identity asked for more tokens than the setting issuance-quota allows.',
    fix: 'Let the client keep each token until it ends, as @countersign/client does; or raise the setting.',
  },
  proof_share_used_up: {
    ...USED_UP,
    why: 'As many assertions and DPoP proofs of this identity are remembered as used as one may have, 250,000 at one process: each is kept until it expires.',
    fix: 'Let the client keep each token until it ends, and make assertions that live a minute, as @countersign/client does. If the client does not ask so often, somebody has its key: countersign cutoffs create --kind credential',
  },
  revocation_rate_exceeded: {
    ...USED_UP,
    why: 'The identity revokes more tokens than one may: 1,000 at once, then 60 a minute at one process. This one lives until its end.',
    fix: 'Let the client keep each token until it ends, and revoke what may have leaked. To end all that it has: countersign cutoffs create --kind credential',
  },
  method_not_allowed: {
    ...NOT_ALLOWED,
    why: 'The rule methods-allowed-per-environment takes no credential of this type in the environment of the identity.',
    fix: 'Give it a stronger credential: countersign credentials create. What is refused where is the setting methods-refused.',
  },
  credential_too_old: {
    ...NOT_ALLOWED,
    why: 'The rule credential-maximum-age takes no credential of this age for this method in the environment of the identity.',
    fix: 'Give the identity a new credential: countersign credentials create. What may last how long is the setting credential-max-age.',
  },
  network_not_allowed: {
    ...NOT_ALLOWED,
    why: 'The access has a condition on networks, and the caller came from none of them.',
    fix: 'Call from there; or change conditions.networks of the access, which may need approval. Behind a proxy, is it declared (trusted-proxy)?',
  },
  outside_time_window: {
    ...NOT_ALLOWED,
    why: 'The access has a condition on times, and this was outside of all its windows.',
    fix: 'Wait for the next window; or change conditions.times of the access, which may need approval.',
  },
  binding_required: {
    ...denied('invalid_request', 'the access takes only tokens that are bound to their holder'),
    why: 'The access has a condition on the binding of tokens, and nothing of that kind to bind to came with the request.',
    fix: 'Let the client send a DPoP proof, or use its certificate at the port of mtls-port, as conditions.binding of the access says. Who stands for an API and asks about its tokens shows a certificate: no DPoP proof is taken there.',
  },
  policy_enforced: {
    ...NOT_ALLOWED,
    why: 'A policy that is enforced does not allow it; the event names the policy, its rule and what is wrong.',
    fix: 'Put right what is wrong: countersign findings list --identity NAME shows it with its fix. Or let people except the identity for a time: countersign policy-exceptions create.',
  },
  lifetime_exhausted: {
    ...NOT_ALLOWED,
    why: 'Identity, credential or access ends so soon that no token could live.',
    fix: 'Extend what ends first.',
  },
};
