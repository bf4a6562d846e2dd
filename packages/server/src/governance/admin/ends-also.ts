import type { EndsAlso, ObjectChange } from '@countersign/admin-api';

/** Of what a write would do: the certificates and credentials that it ends for good beside `id`, which it is asked to end. */
export function endsAlso(
  changes: readonly ObjectChange[],
  id: string,
): { readonly ends_also: readonly EndsAlso[] } {
  const ends = changes.filter(
    ({ kind, before, after }) =>
      (kind === 'Certificate' || kind === 'Credential') &&
      after?.['state'] === 'revoked' &&
      before?.['state'] !== 'revoked' &&
      after['id'] !== id,
  );
  return {
    ends_also: ends.map(({ kind, after }) => ({
      kind: kind === 'Certificate' ? 'certificate' : 'credential',
      id: String(after?.['id']),
      renewed_from: typeof after?.['renewed_from'] === 'string' ? after['renewed_from'] : null,
      created_at: String(after?.['created_at']),
      expires_at: String(after?.['expires_at']),
    })),
  };
}
