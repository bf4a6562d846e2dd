import { expect, test } from 'vitest';
import { fakeAuthority, json, runAgainst } from '../../test/fake-authority.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';

test('the issuer to trust is sent to the authority, and is not the one that is asked', async () => {
  const authority = fakeAuthority({
    'POST /v1/trusted-issuers': () => json({ id: 'tis_1', issuer: GITHUB, name: 'GitHub' }, { status: 201 }),
  });
  const { code, out, err } = await runAgainst(authority, [
    'trusted-issuers',
    'create',
    `--trusted-issuer=${GITHUB}`,
    '--name=GitHub',
    '--kind=github_actions',
    '--output=name',
  ]);
  expect({ code, out, err }).toEqual({ code: 0, out: `${GITHUB}\n`, err: `Trusted ${GITHUB}\n` });
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toEqual({
    issuer: GITHUB,
    name: 'GitHub',
    kind: 'github_actions',
  });
});
