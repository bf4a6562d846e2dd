// Possession is not proved as it has to be: RFC 9449 §5, §8; RFC 8705 §3.
import { denied, type Reasons } from './entry.ts';

export type SenderConstraintReason =
  | 'several_sender_constraints'
  | 'sender_constraint_missing'
  | 'dpop_proof_repeated'
  | 'dpop_proof_malformed'
  | 'dpop_proof_signature'
  | 'dpop_proof_wrong_request'
  | 'dpop_proof_outdated'
  | 'dpop_proof_replayed'
  | 'dpop_nonce_missing'
  | 'dpop_nonce_unknown';

/** RFC 9449 §5: one text for all of them. */
const BAD_PROOF = denied('invalid_dpop_proof', 'the DPoP proof does not hold');
const NONCE_NEEDED = denied('use_dpop_nonce', 'the DPoP proof needs the nonce given here');

export const SENDER_CONSTRAINT: Reasons<SenderConstraintReason> = {
  several_sender_constraints: {
    ...denied('invalid_request', 'a token is bound to one proof of possession'),
    why: 'The request proved possession in two ways, and a token is bound to one.',
    fix: 'Send a DPoP proof or use the client certificate, not both.',
  },
  sender_constraint_missing: {
    ...denied('invalid_request', 'the resource takes only tokens that are bound to their holder'),
    why: 'The resource server takes only tokens that are bound to their holder, and nothing to bind to came with the request.',
    fix: 'Let the client prove possession as the resource server demands (sender_constraint), or change that. A certificate is seen at the port of mtls-port, or through a declared proxy (client-cert-header).',
  },
  dpop_proof_repeated: {
    ...BAD_PROOF,
    why: 'The request carried more than one DPoP header.',
    fix: 'Correct the client: one proof per request. A proxy between may have doubled it.',
  },
  dpop_proof_malformed: {
    ...BAD_PROOF,
    why: 'The DPoP header holds no proof as RFC 9449 has it: not a JWT of type dpop+jwt, an algorithm that is not taken, a key that is none or private, a claim that is missing.',
    fix: 'Correct the client. Algorithms are in the metadata: dpop_signing_alg_values_supported.',
  },
  dpop_proof_signature: {
    ...BAD_PROOF,
    why: 'The signature of the DPoP proof was not made by the key it names.',
    fix: 'Correct the client: it signs with another key than the one in the header of the proof.',
  },
  dpop_proof_wrong_request: {
    ...BAD_PROOF,
    why: 'The DPoP proof is for another method or another URL.',
    fix: 'The claim htm must be POST and htu the token endpoint as the metadata names it, whatever proxies are between.',
  },
  dpop_proof_outdated: {
    ...BAD_PROOF,
    why: 'The DPoP proof was made more than 60 seconds ago, or more than 30 ahead.',
    fix: 'Make a new proof for each request; set the clock of the client right.',
  },
  dpop_proof_replayed: {
    ...BAD_PROOF,
    why: 'The same DPoP proof was used before: the client sent it twice, or somebody else did.',
    fix: 'Make a new proof for each request, for retries too. If the client does, look for who read its traffic.',
  },
  dpop_nonce_missing: {
    ...NONCE_NEEDED,
    why: 'The DPoP proof had no nonce. Every client begins so, and is given one.',
    fix: 'If nothing follows, the client knows no nonces: update it, or set dpop-nonce to false.',
  },
  dpop_nonce_unknown: {
    ...NONCE_NEEDED,
    why: 'The nonce of the DPoP proof is too old, or not one of this authority. The client was given a new one.',
    fix: 'If nothing follows, the client does not take the nonce from the DPoP-Nonce header: correct it.',
  },
};
