import type { EndsAlso } from '@countersign/admin-api';
import { visible } from './visible-text.ts';

/** What goes with the one that was named: certificates that were renewed from it, credentials that took its place. */
export function endsAlsoLines(ends: readonly EndsAlso[]): readonly string[] {
  return ends.map(({ kind, id, renewed_from: from, created_at: made, expires_at: until }) => {
    const whence = from === null ? '' : `renewed from ${visible(from)}, `;
    return `Ends also: ${kind} ${visible(id)} (${whence}made ${visible(made)}, until ${visible(until)})`;
  });
}
