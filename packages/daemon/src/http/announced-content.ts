import type { IncomingMessage } from 'node:http';

/** Whether content follows the head of a request: RFC 9112 §6. At its head no request is complete yet, also none without content. */
export function announcesContent({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
