import { expect, test } from 'vitest';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { CredentialUsageView } from '../../registry/use/credential-use.ts';
import { createCredentialPlaces } from '../../registry/use/credential-places.ts';
import { NOTHING_TOLD } from '../../registry/use/told-of-use.ts';
import {
  accessRecord,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
  T0,
} from '../../storage/contract/records.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { credentialSprawl, MANY_CREDENTIALS } from './credential-sprawl.ts';
import { crossEnvironmentUse } from './cross-environment-use.ts';
import type { Circumstances, Detector } from './detector.ts';
import { identitySprawl, MANY_ALIKE } from './identity-sprawl.ts';
import { reusedCredential } from './reused-credential.ts';
import { unusedCredential } from './unused-credential.ts';

const DAY = 86_400_000;

function factsOf(identity: IdentityRecord, credentials: readonly CredentialRecord[] = []): IdentityFacts {
  const resourceServer = resourceServerRecord({ identifier: 'https://fraud.example' });
  return {
    identity,
    credentials,
    access: [{ access: accessRecord(identity.id, resourceServer.id), resourceServer }],
  };
}

function seen(
  detector: Detector,
  facts: IdentityFacts,
  change: Partial<Circumstances> = {},
): readonly string[] {
  return detector
    .observe(facts, {
      now: T0,
      maximumAge: () => 90 * DAY,
      suspendedForMs: 30 * DAY,
      paces: new Map(),
      keySharers: new Map(),
      silentWebhooks: [],
      ...NOTHING_TOLD,
      ...change,
    })
    .map(({ severity, subjectId, fix }) => `${severity} ${subjectId} ${fix}`);
}

const some = (count: number, identity: IdentityRecord, change: Partial<CredentialRecord> = {}) =>
  Array.from({ length: count }, (_, place) =>
    credentialRecord(identity.id, { createdAt: T0 - place * DAY, updatedAt: T0 - place * DAY, ...change }),
  );

test('identity_sprawl: more identities of one owner for one purpose than anybody tells apart, found at the oldest', () => {
  const identity = identityRecord({ clientId: 'first' });
  const others = (count: number) =>
    Array.from({ length: count }, (_, place) => ({ id: `idn_${place}`, clientId: `other-${place}` }));
  const alike = [{ id: identity.id, clientId: 'first' }, ...others(MANY_ALIKE)];
  expect(seen(identitySprawl, factsOf(identity), { alike })).toEqual([
    `medium ${identity.id} countersign identities decommission other-${MANY_ALIKE - 1} --reason 'the same as first'`,
  ]);
  expect(seen(identitySprawl, factsOf(identity), { alike: alike.slice(1) })).toEqual([]);
  expect(seen(identitySprawl, factsOf(identity), { alike: alike.slice(0, MANY_ALIKE) })).toEqual([]);
  expect(seen(identitySprawl, factsOf(identity))).toEqual([]);
});

test('credential_sprawl: more credentials that work than anybody looks after; the oldest is to go', () => {
  const identity = identityRecord({ environment: 'test' });
  const credentials = some(MANY_CREDENTIALS + 1, identity);
  const oldest = credentials.at(-1)?.id;
  expect(seen(credentialSprawl, factsOf(identity, credentials))).toEqual([
    `low ${identity.id} countersign credentials revoke ${oldest}`,
  ]);
  const revoked = credentials.map(
    (each, place): CredentialRecord => (place === 0 ? { ...each, state: 'revoked' } : each),
  );
  expect(seen(credentialSprawl, factsOf(identity, revoked))).toEqual([]);
});

test('unused_credential: proved nobody in a whole window; unknown is not unused, and what is young is not judged', () => {
  const identity = identityRecord({ cadence: 'daily' });
  const [idle, busy, unknown, young] = some(4, identity, {
    createdAt: T0 - 40 * DAY,
    updatedAt: T0 - 40 * DAY,
  }).map((each, place) => (place === 3 ? { ...each, createdAt: T0 - 10 * DAY } : each)) as [
    CredentialRecord,
    CredentialRecord,
    CredentialRecord,
    CredentialRecord,
  ];
  const use = (state: CredentialUsageView['state']): CredentialUsageView => ({
    state,
    since: '',
    last_used: null,
    last_token: null,
    last_call: null,
  });
  const credentialUses = new Map([
    [idle.id, use('unused')],
    [busy.id, use('used')],
    [unknown.id, use('unknown')],
    [young.id, use('unused')],
  ]);
  const facts = factsOf(identity, [idle, busy, unknown, young]);
  expect(seen(unusedCredential, facts, { credentialUses })).toEqual([
    `medium ${idle.id} countersign credentials revoke ${idle.id}`,
  ]);
  expect(seen(unusedCredential, facts)).toEqual([]);
  const onDemand = factsOf({ ...identity, cadence: 'on_demand' }, [idle]);
  expect(seen(unusedCredential, onDemand, { credentialUses })).toEqual([]);
});

test('cross_environment_use: across the border of production, in either direction, and nowhere else', () => {
  const reaching = (
    from: IdentityRecord['environment'],
    to: IdentityRecord['environment'],
  ): string | undefined => {
    const facts = factsOf(identityRecord({ environment: from }));
    const homes = new Map([
      [facts.access[0]?.resourceServer.id ?? '', { clientId: 'fraud', environment: to }],
    ]);
    return seen(crossEnvironmentUse, facts, { homes })[0]?.split(' ')[0];
  };
  expect(reaching('staging', 'prod')).toBe('high');
  expect(reaching('prod', 'test')).toBe('medium');
  expect(reaching('prod', 'prod')).toBeUndefined();
  expect(reaching('dev', 'test')).toBeUndefined();
  expect(seen(crossEnvironmentUse, factsOf(identityRecord()))).toEqual([]);
});

test('reused_credential: two kinds of clients from different networks, or too many networks; replicas are neither', () => {
  const identity = identityRecord();
  const [credential] = some(1, identity) as [CredentialRecord];
  const used = (callers: readonly (readonly [string, string])[]): number => {
    const places = createCredentialPlaces();
    for (const [source, agent] of callers) places.saw(credential.id, source, agent);
    return seen(reusedCredential, factsOf(identity, [credential]), { places: places.take() }).length;
  };
  const replicas = Array.from(
    { length: 200 },
    (_, n) => [`10.1.${n}.7`, 'countersign-client/1.0 node/24'] as const,
  );
  expect(used(replicas)).toBe(0);
  expect(used([...replicas, ['10.1.3.3', 'curl/8.5']])).toBe(0);
  expect(used([...replicas, ['172.16.0.9', 'python-requests/2.31']])).toBe(1);
  const regions = (count: number) =>
    Array.from({ length: count }, (_, n) => [`10.${n}.0.1`, 'node'] as const);
  expect(used(regions(8))).toBe(0);
  expect(used(regions(9))).toBe(1);
  expect(seen(reusedCredential, factsOf(identity, [credential]))).toEqual([]);
});
