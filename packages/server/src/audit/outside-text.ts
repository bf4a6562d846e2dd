import { createHash } from 'node:crypto';

/** Words of small letters with at most three digits in a row of them: names as people give them, never a secret. */
const NAME_LIKE = /^[a-z:._/-]*[0-9]{0,3}[a-z:._/-]*$/;
const MAX_CHARS = 64;
const FINGERPRINT_CHARS = 12;

/**
 * Text that a caller chose freely, as the log may hold it. Secrets end up in the wrong field every day, and nothing can
 * be taken out of this log again: what does not look like a name becomes `~` and the beginning of its SHA-256, which
 * still tells an operator whether it is the text in question.
 */
export function outsideText(text: string): string {
  if (text.length <= MAX_CHARS && NAME_LIKE.test(text)) return text;
  return `~${createHash('sha256').update(text).digest('hex').slice(0, FINGERPRINT_CHARS)}`;
}

/** Scopes as asked for: those that exist as they are, others as outside text. At most 50 are told. */
export function outsideScopes(asked: string, exists: (scope: string) => boolean): string {
  const scopes = asked.split(' ', 51);
  const told = scopes.slice(0, 50).map((scope) => (exists(scope) ? scope : outsideText(scope)));
  return (scopes.length > 50 ? [...told, '…'] : told).join(' ');
}

/** A resource indicator that names nothing here: its origin tells most of it. */
export function outsideResource(asked: string): string {
  if (!URL.canParse(asked)) return outsideText(asked);
  const { origin, pathname } = new URL(asked);
  if (origin === 'null' || outsideText(origin) !== origin) return outsideText(asked);
  return asked === origin || pathname === '/'
    ? origin
    : `${origin}/${outsideText(asked.slice(origin.length + 1))}`;
}
