import { afterEach, describe, expect, test } from 'vitest';
import { askRenewal, issueTo, newRequest } from '../../../test/issuing.ts';
import { NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { openMemoryStorage } from '../../../test/memory-storage.ts';
import { revokeCertificate } from '../../registry/certificates/revoke.ts';
import { createFactsCache } from '../../registry/facts-cache.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { DeclaredRuleId } from '../../policy/declared/rules.ts';
import { createPolicy } from '../../registry/policy/policy.ts';
import type { CredentialType } from '../../storage/credentials.ts';
import { readPem } from '../../x509/pem.ts';

const DAY = 86_400_000;

test('a certificate that was revoked a moment ago is not renewed, also where that was not heard yet', async () => {
  const storage = await openMemoryStorage({ now: () => NOW });
  const cache = createFactsCache({ storage, capacity: 100 });
  /** What another node knew before. */
  let before: IdentityFacts | undefined;
  const facts = {
    byKeyId: () => undefined,
    byClientId: (clientId: string) => before ?? cache.byClientId(clientId),
  };
  const scene = await openTokenScene({ clientCertificates: true, facts }, undefined, async () => storage);
  try {
    const { chain, record } = await issueTo(scene);
    const shown = readPem(chain, 'CERTIFICATE') ?? [];
    expect((await askRenewal(scene, shown, newRequest())).status).toBe(200);
    before = await cache.byClientId(scene.identity.clientId);
    await storage.transaction((stores) =>
      revokeCertificate(scene.deps, stores, () => undefined, scene.identity, record, {
        code: 'key_compromise',
        reason: 'stolen',
        actor: { identity: 'admin' },
      }),
    );
    const answer = await askRenewal(scene, shown, newRequest());
    expect(answer.status, String(answer.body)).toBe(400);
    expect(String(answer.body)).toContain('access_denied');
    expect(scene.bugs).toEqual([]);
  } finally {
    await scene.close();
  }
});

test('what an agent fetched for a workload is not renewed by itself: the agent, which knows the workload, fetches the next', async () => {
  const scene = await openTokenScene({ clientCertificates: true });
  try {
    const { chain } = await issueTo(scene, 'agent');
    const answer = await askRenewal(scene, readPem(chain, 'CERTIFICATE') ?? [], newRequest());
    expect(answer.status, String(answer.body)).toBe(400);
    expect(String(answer.body)).toContain('access_denied');
    expect(scene.log.events.findLast(({ type }) => type === 'renewal.refused')?.reason).toBe(
      'renewal_refused',
    );
    expect(scene.bugs).toEqual([]);
  } finally {
    await scene.close();
  }
});

describe('what refuses the tokens of a certificate refuses its renewal, by the same reason', () => {
  let scene: TokenScene;
  afterEach(async () => {
    expect(scene.bugs).toEqual([]);
    await scene.close();
  });

  async function enforce(rule: DeclaredRuleId, parameters: object): Promise<void> {
    const tell = (): void => undefined;
    const asked = {
      name: rule,
      rule,
      parameters: { ...parameters },
      mode: 'enforce',
      match: {},
      tests: [],
    } as const;
    const deps = { ...scene.deps, approvalValidity: DAY };
    await scene.storage.transaction((stores) => createPolicy(deps, stores, tell, asked));
  }
  async function expectRefused(
    shown: readonly Uint8Array[],
    reason: string,
    evidence?: object,
  ): Promise<void> {
    const answer = await askRenewal(scene, shown, newRequest());
    expect(answer.status, String(answer.body)).toBe(400);
    expect(String(answer.body)).toContain('access_denied');
    const event = scene.log.events.findLast(({ type }) => type === 'renewal.refused');
    expect(event?.reason).toBe(reason);
    if (evidence !== undefined) expect(JSON.parse(event?.detail ?? '{}')).toMatchObject(evidence);
  }

  test.each<[DeclaredRuleId, object, object]>([
    [
      'methods_allowed',
      { methods: ['private_key_jwt'] },
      { policy: 'methods_allowed', rule: 'methods_allowed' },
    ],
    ['lifetime_ceiling', { credential: '1h' }, { policy: 'lifetime_ceiling', why: 'lives longer than 1h' }],
  ])('a policy of later: %s', async (rule, parameters, evidence) => {
    scene = await openTokenScene({ clientCertificates: true });
    const { chain } = await issueTo(scene);
    await enforce(rule, parameters);
    await expectRefused(readPem(chain, 'CERTIFICATE') ?? [], 'policy_enforced', evidence);
  });

  test('a setting of later: a method that the environment does not take', async () => {
    const refusedMethods = new Map<string, Set<CredentialType>>();
    scene = await openTokenScene({ clientCertificates: true, refusedMethods });
    const { chain } = await issueTo(scene);
    refusedMethods.set(scene.identity.environment, new Set(['tls_client_auth']));
    await expectRefused(readPem(chain, 'CERTIFICATE') ?? [], 'method_not_allowed');
  });

  test('what is renewed lasts no longer than the policies let its credential', async () => {
    scene = await openTokenScene({ clientCertificates: true });
    const { chain } = await issueTo(scene);
    await enforce('credential_age', { max_age: '2h' });
    const answer = await askRenewal(scene, readPem(chain, 'CERTIFICATE') ?? [], newRequest());
    expect(answer.status, String(answer.body)).toBe(200);
    const { expires_at: end } = JSON.parse(String(answer.body)) as { expires_at: string };
    expect(Date.parse(end)).toBeLessThanOrEqual(NOW + 2 * 3_600_000);
  });

  test('so does a setting that lets no credential be older', async () => {
    scene = await openTokenScene({ clientCertificates: true, enforcedAge: () => 3_600_000 });
    const { chain } = await issueTo(scene);
    const answer = await askRenewal(scene, readPem(chain, 'CERTIFICATE') ?? [], newRequest());
    const { expires_at: end } = JSON.parse(String(answer.body)) as { expires_at: string };
    expect(Date.parse(end)).toBeLessThanOrEqual(NOW + 3_600_000);
  });
});
