// The token exchange grant: RFC 8693 §2.1, for an access token in the name of the subject of another one.
import { TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import type { Target } from '../settings.ts';

/** The parameters of a token request for `target` in the name of the subject of `subjectToken`. */
export function tokenExchange(
  target: Target,
  subjectToken: string,
): readonly (readonly [name: string, value: string | undefined])[] {
  return [
    ['grant_type', TOKEN_EXCHANGE],
    ['subject_token', subjectToken],
    ['subject_token_type', TOKEN_TYPE.accessToken],
    ['resource', target.resource],
    ['scope', target.scope],
  ];
}
