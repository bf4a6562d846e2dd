import { afterEach, beforeEach, expect, test } from 'vitest';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../../test/tiny-issuer.ts';
import type { UsageOptions, VerifierOptions } from '../options.ts';
import { createVerifier } from '../create-verifier.ts';
import type { Reporting } from './use-reporter.ts';

let tiny: TinyIssuer;
let now: number;
interface Sent {
  resource_server: string;
  rows: { credential?: string; denied: number }[];
}
let sent: { url: string; body: Sent }[];
const client: Reporting = {
  async fetch(url, init) {
    sent.push({ url: String(url), body: JSON.parse(String(init?.body)) });
    return new Response('{"counted":true}');
  },
};

beforeEach(async () => {
  now = Math.floor(Date.now() / 1000);
  sent = [];
  tiny = await startTinyIssuer(() => now);
});
afterEach(async () => await tiny.close());

const verifierOf = (usage: Reporting | UsageOptions, more: Partial<VerifierOptions> = {}) =>
  createVerifier({
    issuer: tiny.issuer,
    audience: AUDIENCE,
    clock: () => now,
    usage,
    ...more,
  } as VerifierOptions);

test('the scope that the guard required is told, refusals apart, and tokens that prove nothing not at all', async () => {
  const verifier = verifierOf(client);
  const token = tiny.token();
  for (const scope of ['fraud:read', 'fraud:read', 'fraud:write', undefined]) {
    await verifier.verify(token, scope === undefined ? {} : { scope });
  }
  await verifier.verify(`${token}x`, { scope: 'fraud:read' });
  await verifier.verify(undefined, { scope: 'fraud:read' });
  await verifier.verify(tiny.token({ aud: 'https://other.example.com' }), { scope: 'fraud:read' });
  await verifier.verify(tiny.token({ iat: now - 900, exp: now - 300 }), { scope: 'fraud:list' });
  tiny.cut({ kind: 'credential', id: 'crd_2', not_before: now });
  await expect
    .poll(async () => (await verifier.verify(tiny.token({ crd: 'crd_2' }), { scope: 'fraud:read' })).ok)
    .toBe(false);
  await verifier.close();
  expect(sent).toHaveLength(1);
  const { url, body } = sent[0] as (typeof sent)[number];
  expect(url).toBe(`${tiny.issuer}/v1/usage`);
  expect(body).toMatchObject({ resource_server: AUDIENCE, seq: 1, final: true });
  const own = body.rows.filter((row) => row.credential === 'crd_1');
  expect(own).toEqual([
    { access: 'acs_1', credential: 'crd_1', scope: 'fraud:read', ok: 2, denied: 0, age: 0 },
    { access: 'acs_1', credential: 'crd_1', scope: 'fraud:write', ok: 0, denied: 1 },
    { access: 'acs_1', credential: 'crd_1', scope: null, ok: 1, denied: 0, age: 0 },
    { access: 'acs_1', credential: 'crd_1', scope: 'fraud:list', ok: 0, denied: 1 },
  ]);
  expect(body.rows.find((row) => row.credential === 'crd_2')?.denied).toBe(1);
});

test('what a stream lets pass is counted by the scope that let it, beside its opening', async () => {
  const verifier = verifierOf(client);
  const watched = await verifier.watch(tiny.token());
  if (!watched.ok) throw new Error(watched.reason);
  watched.used('fraud:read', true);
  watched.used('fraud:read', true);
  watched.used(undefined, false);
  await verifier.close();
  expect(sent[0]?.body.rows).toEqual([
    { access: 'acs_1', credential: 'crd_1', scope: null, ok: 1, denied: 1, age: 0 },
    { access: 'acs_1', credential: 'crd_1', scope: 'fraud:read', ok: 2, denied: 0, age: 0 },
  ]);
});

test('each audience is told of as an API of its own', async () => {
  const other = 'https://ledger.example.com';
  const verifier = verifierOf(client, { audience: [AUDIENCE, other] });
  await verifier.verify(tiny.token({ aud: other }), { scope: 'fraud:read' });
  await verifier.close();
  const rows = sent.map(({ body }) => [body.resource_server, body.rows.length]);
  expect(rows).toEqual([
    [AUDIENCE, 0],
    [other, 1],
  ]);
});

test('tokens of a declared foreign issuer are counted beside ours', async () => {
  const foreign = await startTinyIssuer(() => now);
  try {
    const verifier = createVerifier({
      issuers: [tiny.issuer, { issuer: foreign.issuer, cutoffs: false }],
      audience: AUDIENCE,
      clock: () => now,
      usage: { client, instance: 'pod-7' },
    });
    const result = await verifier.verify(foreign.token({ crd: undefined, acs: undefined }), {
      scope: 'fraud:read',
    });
    expect(result.ok).toBe(true);
    await verifier.close();
    expect(sent[0]?.body).toMatchObject({
      instance: 'pod-7',
      rows: [{ issuer: foreign.issuer, client_id: 'payments', scope: 'fraud:read', ok: 1, denied: 0 }],
    });
  } finally {
    await foreign.close();
  }
});

test('what cannot be told to anybody is refused at the start', () => {
  const fault = (usage: unknown, more: Partial<VerifierOptions> = {}): string => {
    try {
      verifierOf(usage as UsageOptions, more);
      return 'taken';
    } catch (error) {
      return (error as { option: string }).option;
    }
  };
  const issuers = ['https://one.example', 'https://two.example'];
  expect(fault(client)).toBe('taken');
  expect(fault({ client, issuer: tiny.issuer })).toBe('taken');
  expect(fault({})).toBe('usage');
  expect(fault({ client: 7 })).toBe('usage');
  expect(fault({ client, instance: 'with space' })).toBe('usage.instance');
  expect(fault({ client, issuer: 'https://other.example' })).toBe('usage.issuer');
  expect(fault(client, { issuer: undefined, issuers } as never)).toBe('usage.issuer');
  expect(fault({ client, issuer: issuers[1] }, { issuer: undefined, issuers } as never)).toBe('taken');
});
