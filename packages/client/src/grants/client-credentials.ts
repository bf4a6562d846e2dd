// The client credentials grant: RFC 6749 §4.4.2, with a resource indicator (RFC 8707 §2.2).
import { CLIENT_CREDENTIALS } from '@countersign/protocol';
import type { Target } from '../settings.ts';

/** The parameters of a token request for `target`. */
export function clientCredentials(
  target: Target,
): readonly (readonly [name: string, value: string | undefined])[] {
  return [
    ['grant_type', CLIENT_CREDENTIALS],
    ['resource', target.resource],
    ['scope', target.scope],
  ];
}
