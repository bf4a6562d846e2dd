import { expect, test } from 'vitest';
import { askRenewal, issueTo, newRequest } from '../../../test/issuing.ts';
import { NOW, openTokenScene } from '../../../test/token-scene.ts';
import { openSqliteStorage } from '../../database/sqlite.ts';
import { revokeCertificate } from '../../registry/certificates/revoke.ts';
import { createFactsCache } from '../../registry/facts-cache.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { readPem } from '../../x509/pem.ts';

test('a certificate that was revoked a moment ago is not renewed, also where that was not heard yet', async () => {
  const storage = await openSqliteStorage({ path: ':memory:', clock: { now: () => NOW } });
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
