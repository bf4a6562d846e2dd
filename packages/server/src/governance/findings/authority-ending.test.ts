import { expect, it } from 'vitest';
import { NOTHING_TOLD } from '../../registry/use/told-of-use.ts';
import { identityRecord, T0 } from '../../storage/contract/records.ts';
import { authorityEnding } from './authority-ending.ts';
import type { Circumstances } from './detector.ts';

const DAY = 86_400_000;
const circumstances: Circumstances = {
  ...NOTHING_TOLD,
  now: T0,
  maximumAge: () => 90 * DAY,
  paces: new Map(),
  keySharers: new Map(),
  silentWebhooks: [],
  suspendedForMs: DAY,
};
const observe = (builtIn: boolean, left: number | undefined) =>
  authorityEnding.observe(
    { identity: identityRecord({ builtIn }), credentials: [], access: [] },
    left === undefined
      ? circumstances
      : { ...circumstances, endingAuthority: { id: 'cau_1', notAfter: T0 + left } },
  );

it('an authority that only people can replace is told of, with the command that makes the request', () => {
  expect(observe(true, 100 * DAY)).toEqual([
    {
      subject: 'certificate_authority',
      subjectId: 'cau_1',
      severity: 'medium',
      reason: expect.stringMatching(/ends on \d{4}-\d\d-\d\d, and the key of its root is not here/),
      fix: 'countersign certificate-authorities request --request-file issuing.csr',
    },
  ]);
});

it('it is urgent from 30 days before its end on', () => {
  expect(observe(true, 31 * DAY)).toMatchObject([{ severity: 'medium' }]);
  expect(observe(true, 30 * DAY)).toMatchObject([{ severity: 'high' }]);
});

it('it is nobody’s but the authority’s own, and nothing where there is none', () => {
  expect(observe(false, DAY)).toEqual([]);
  expect(observe(true, undefined)).toEqual([]);
});
