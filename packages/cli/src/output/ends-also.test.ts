import { expect, test } from 'vitest';
import { endsAlsoLines } from './ends-also.ts';

test('what goes with it is named, and from what it was renewed', () => {
  const made = { created_at: '2026-11-01T00:00:00.000Z', expires_at: '2026-12-01T00:00:00.000Z' };
  const lines = endsAlsoLines([
    { kind: 'certificate', id: 'crt_2', renewed_from: 'crt_1', ...made },
    { kind: 'credential', id: 'crd_2', renewed_from: null, ...made },
  ]);
  expect(lines).toEqual([
    'Ends also: certificate crt_2 (renewed from crt_1, made 2026-11-01T00:00:00.000Z, until 2026-12-01T00:00:00.000Z)',
    'Ends also: credential crd_2 (made 2026-11-01T00:00:00.000Z, until 2026-12-01T00:00:00.000Z)',
  ]);
});
