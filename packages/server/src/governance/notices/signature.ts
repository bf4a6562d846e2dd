// The headers of a notice: Standard Webhooks, "Webhook Headers (sending metadata to consumers)" and "Signature scheme".
import { createHmac } from 'node:crypto';

/**
 * Signed with each of the keys, so that a receiver may know the newest or the one before.
 *
 * @param id the same in every attempt, so that a receiver can tell that it had it already
 * @param now epoch ms of this attempt: receivers refuse what is old
 */
export function signedHeaders(
  keys: readonly Uint8Array[],
  id: string,
  now: number,
  body: string,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = keys.map((key) => {
    const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${mac}`;
  });
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
