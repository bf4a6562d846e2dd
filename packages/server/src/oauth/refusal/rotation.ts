// A client that gives its own key a successor: proved by both keys (RFC 7523 §3, RFC 7800 §3.1).
import { CORRECT_THE_CLIENT, denied, type Reasons } from './entry.ts';

export type RotationReason =
  | 'rotation_method'
  | 'new_key_missing'
  | 'new_key_malformed'
  | 'new_key_unacceptable'
  | 'new_key_unproved'
  | 'new_key_not_named'
  | 'rotation_refused';

export const ROTATION: Reasons<RotationReason> = {
  rotation_method: {
    ...denied('unauthorized_client', 'only a client with a registered key can rotate it here'),
    why: 'The client proved itself otherwise than by a key that is registered here: there is nothing that it could rotate itself.',
    fix: 'Rotate it for the client: countersign credentials rotate',
  },
  new_key_missing: {
    ...denied('invalid_request', 'new_key is missing'),
    why: 'The request brings no new key.',
    fix: CORRECT_THE_CLIENT,
  },
  new_key_malformed: {
    ...denied('invalid_request', 'new_key is no proof of a new key'),
    why: 'What came as new_key is no JWT of the type new-key+jwt that shows a key, or says another client, another issuer or another time.',
    fix: CORRECT_THE_CLIENT,
  },
  new_key_unacceptable: {
    ...denied('invalid_request', 'the new key cannot be used here'),
    why: 'The new key is of a kind, or of a size, that is not taken.',
    fix: 'Use a key on P-256, P-384 or Ed25519, or RSA from 2,048 bits for PS256.',
  },
  new_key_unproved: {
    ...denied('invalid_request', 'new_key is not signed by the key that it shows'),
    why: 'Nothing shows that the client holds the private half of the new key.',
    fix: CORRECT_THE_CLIENT,
  },
  new_key_not_named: {
    ...denied('invalid_request', 'the client assertion does not name the new key (cnf.jkt)'),
    why: 'The assertion by the present key names no new key, or another one. Somebody may have found an assertion and tried to make a key of their own of it.',
    fix: 'Correct the client. If it did not ask: countersign cutoffs create --kind credential',
  },
  rotation_refused: {
    ...denied('access_denied', 'this key is not rotated'),
    why: 'A rule stands against it; the detail of the event says which: it has another successor, the new key is not new, there are too many, or clients do not rotate their own keys here.',
    fix: 'Look at it: countersign credentials rotation. Rotate for the client: countersign credentials rotate',
  },
};
