import { createHash } from 'node:crypto';
import { SECRET_PATTERNS, type SecretPattern } from './secret-pattern.ts';

/** A secret that was found. It itself is here for whoever reports it, and is printed nowhere. */
export interface FoundSecret {
  readonly pattern: SecretPattern;
  readonly secret: string;
  /** Its beginning, and how long it is. */
  readonly masked: string;
  /** SHA-256 of it, in hex: the same wherever it is found. */
  readonly fingerprint: string;
  /** Offset in the text. */
  readonly at: number;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** One pass over a text tells whether any pattern has to look at it. */
const ANY_HINT = new RegExp(
  [...new Set(SECRET_PATTERNS.flatMap(({ hints }) => hints))].map(escaped).join('|'),
);

/** Every secret in a text, in its order. */
export function findSecrets(text: string, now: number): readonly FoundSecret[] {
  if (!ANY_HINT.test(text)) return [];
  const found: FoundSecret[] = [];
  for (const pattern of SECRET_PATTERNS) {
    if (!pattern.hints.some((hint) => text.includes(hint))) continue;
    for (const match of text.matchAll(pattern.pattern)) {
      const secret = match.groups?.['secret'] ?? match[0];
      if (pattern.check?.(secret, now) === false) continue;
      const at = match.index + match[0].indexOf(secret);
      found.push({
        pattern,
        secret,
        masked: masked(secret, pattern.shown),
        fingerprint: createHash('sha256').update(secret).digest('hex'),
        at,
      });
    }
  }
  return found.sort((one, other) => one.at - other.at);
}

function masked(secret: string, shown: number): string {
  return `${secret.slice(0, shown)}… (${secret.length} characters)`;
}
