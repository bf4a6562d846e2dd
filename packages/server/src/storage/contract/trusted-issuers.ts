import { expect, it } from 'vitest';
import { changed, credentialRecord, freshId, identityRecord, trustedIssuerRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function trustedIssuerContract({ storage }: Subject): void {
  it('gives back what was inserted, by id and by issuer', async () => {
    for (const record of [
      trustedIssuerRecord(),
      trustedIssuerRecord({
        earlierTokens: { maxAge: 60, until: 1_796_000_000 },
        kind: 'kubernetes',
        keys: { from: 'jwks', jwks: { keys: [] } },
        ca: 'pem',
        audience: 'https://authority.example',
        algorithms: ['RS256', 'ES256'],
        singleUse: false,
        state: 'suspended',
      }),
    ]) {
      await storage().trustedIssuers.insert(record);
      expect(await storage().trustedIssuers.byId(record.id)).toStrictEqual(record);
      expect(await storage().trustedIssuers.byIssuer(record.issuer)).toStrictEqual(record);
    }
    expect(await storage().trustedIssuers.byIssuer('https://none.example')).toBeUndefined();
  });

  it('compares issuers as strings', async () => {
    const record = trustedIssuerRecord({ issuer: 'https://issuer.example/A' });
    await storage().trustedIssuers.insert(record);
    for (const other of [
      'https://issuer.example/a',
      'https://issuer.example/A/',
      'https://ISSUER.example/A',
    ]) {
      expect(await storage().trustedIssuers.byIssuer(other)).toBeUndefined();
    }
  });

  it('keeps an issuer to one record and frees it with its deletion', async () => {
    const first = trustedIssuerRecord();
    const second = trustedIssuerRecord({ issuer: first.issuer });
    await storage().trustedIssuers.insert(first);
    await expect(storage().trustedIssuers.insert(second)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'issuer',
    });
    await storage().trustedIssuers.replace(changed(first, { state: 'deleted' }));
    expect(await storage().trustedIssuers.byIssuer(first.issuer)).toBeUndefined();
    await storage().trustedIssuers.insert(second);
    expect((await storage().trustedIssuers.byIssuer(first.issuer))?.id).toBe(second.id);
  });

  it('replaces by compare-and-swap, and never the issuer', async () => {
    const record = trustedIssuerRecord();
    await storage().trustedIssuers.insert(record);
    const next = changed(record, { name: 'Another', state: 'suspended' });
    await storage().trustedIssuers.replace(next);
    expect(await storage().trustedIssuers.byId(record.id)).toStrictEqual(next);
    const conflict = { fault: 'version_conflict' };
    await expect(storage().trustedIssuers.replace(next)).rejects.toMatchObject(conflict);
    const moved = changed(next, { issuer: 'https://moved.example' });
    await expect(storage().trustedIssuers.replace(moved)).rejects.toMatchObject(conflict);
  });

  it('lists what is not deleted, by part of name or issuer', async () => {
    const word = freshId('word');
    const record = trustedIssuerRecord({ name: `Issuer ${word}` });
    const gone = trustedIssuerRecord({ issuer: `https://${word}.example` });
    await storage().trustedIssuers.insert(record);
    await storage().trustedIssuers.insert(gone);
    await storage().trustedIssuers.replace(changed(gone, { state: 'deleted' }));
    const { items } = await storage().trustedIssuers.list({ text: word }, { limit: 10 });
    expect(items).toStrictEqual([record]);
  });

  it('finds federated credentials by what their tokens say for ever, and by their issuer', async () => {
    const issuer = trustedIssuerRecord();
    const identity = identityRecord();
    await storage().trustedIssuers.insert(issuer);
    await storage().identities.insert(identity);
    const subjectKey = freshId('subject');
    const federated = (overrides: object) =>
      credentialRecord(identity.id, {
        material: { type: 'federated', trustedIssuer: issuer.id, subjectKey, conditions: { sub: 'a' } },
        ...overrides,
      });
    const [live, revoked] = [federated({}), federated({ state: 'revoked' })];
    await storage().credentials.insert(live);
    await storage().credentials.insert(revoked);
    expect(await storage().credentials.bySubjectKey(subjectKey)).toStrictEqual([live, revoked]);
    expect(await storage().credentials.bySubjectKey('none')).toStrictEqual([]);
    const { items } = await storage().credentials.list(
      { trustedIssuerId: issuer.id, state: 'active' },
      { limit: 10 },
    );
    expect(items).toStrictEqual([live]);
  });
}
