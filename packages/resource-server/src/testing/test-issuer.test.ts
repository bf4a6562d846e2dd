// The test kit as an API's own tests use it: an authority in the process, and a verifier that cannot tell it from another.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VerifierOptions } from '../options.ts';
import { createVerifier, type Verifier } from '../verifier.ts';
import { createTestIssuer, type TestIssuer } from './test-issuer.ts';

const audience = 'https://fraud.example.com';
const READ = { scope: 'fraud:read' };
let issuer: TestIssuer;
const open: Verifier[] = [];
beforeEach(async () => {
  issuer = await createTestIssuer({ audience });
});
afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close();
});

async function verifierOf(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = createVerifier({ ...issuer.options, audience, ...options } as VerifierOptions);
  open.push(verifier);
  await verifier.ready();
  return verifier;
}
const tell = async (verifier: Verifier, token: string): Promise<string> => {
  const result = await verifier.verify(token, READ);
  return result.ok ? 'ok' : result.reason;
};

describe('a token of the test issuer', () => {
  it('is what its maker says, and of the test client otherwise', async () => {
    const verifier = await verifierOf();
    const result = await verifier.verify(await issuer.token({ ...READ, client_id: 'payments' }), READ);
    expect(result).toMatchObject({
      ok: true,
      claims: { client_id: 'payments', sub: 'payments', aud: [audience] },
    });
    expect(await tell(verifier, await issuer.token())).toBe('insufficient_scope');
  });

  it.each<[string, object, object, string]>([
    ['for another API', { aud: 'https://ledger.example.com' }, {}, 'wrong_audience'],
    ['of another issuer', { iss: 'https://other.test' }, {}, 'wrong_issuer'],
    ['without a claim', { jti: undefined }, {}, 'bad_claims'],
    ['of another kind', {}, { typ: 'JWT' }, 'wrong_typ'],
  ])('%s is refused', async (_, claims, header, reason) => {
    expect(await tell(await verifierOf(), await issuer.token({ ...READ, ...claims }, header as never))).toBe(
      reason,
    );
  });

  it('expires when time is moved on, and not before', async () => {
    const verifier = await verifierOf();
    const token = await issuer.token(READ);
    await issuer.advance(599);
    expect(await tell(verifier, token)).toBe('ok');
    await issuer.advance(10);
    expect(await tell(verifier, token)).toBe('expired');
  });

  it('is refused as soon as its cut-off was ordered, by every verifier', async () => {
    const verifiers = await Promise.all([verifierOf(), verifierOf(), verifierOf()]);
    const token = await issuer.token(READ);
    const other = await issuer.token({ ...READ, client_id: 'ledger' });
    await issuer.cutOff({ kind: 'identity', id: 'test-client' });
    for (const verifier of verifiers) {
      expect(await tell(verifier, token)).toBe('cut_off');
      expect(await tell(verifier, other)).toBe('ok');
    }
    await issuer.advance(1);
    expect(await tell(verifiers[0] as Verifier, await issuer.token(READ))).toBe('ok');
  });

  it('bound to a holder is for who proves it', async () => {
    const verifier = await verifierOf();
    const holder = await issuer.holder();
    const token = await issuer.token({ ...READ, cnf: holder.cnf });
    expect(await tell(verifier, token)).toBe('bound_token_as_bearer');
    const request = { method: 'GET', url: `${audience}/cases` };
    const dpop = await holder.proof({ ...request, token });
    expect(await verifier.verify(token, { ...READ, ...request, dpop })).toMatchObject({ ok: true });
    const stranger = await (await issuer.holder()).proof({ ...request, token });
    expect(await verifier.verify(token, { ...READ, ...request, dpop: stranger })).toMatchObject({
      reason: 'dpop_key_mismatch',
    });
  });

  it('that is opaque is read by introspection, until it is revoked', async () => {
    const verifier = await verifierOf({ introspect: issuer.introspect });
    const token = issuer.opaqueToken(READ);
    expect(await tell(verifier, token)).toBe('ok');
    issuer.revoke(token);
    expect(await tell(verifier, token)).toBe('ok');
    await issuer.advance(60);
    expect(await tell(verifier, token)).toBe('not_active');
  });

  it('stands behind an API key, until that is revoked', async () => {
    const verifier = await verifierOf({ apiKeys: true });
    const key = issuer.apiKey(READ);
    expect(await tell(verifier, key)).toBe('ok');
    issuer.revoke(key);
    await issuer.advance(60);
    expect(await tell(verifier, key)).toBe('api_key_refused');
  });
});

describe('the authority', () => {
  it('signs with a new key, and may withdraw the old one', async () => {
    const verifier = await verifierOf();
    const old = await issuer.token(READ);
    await issuer.rotateKeys();
    await issuer.advance(31);
    expect(await tell(verifier, await issuer.token(READ))).toBe('ok');
    expect(await tell(verifier, old)).toBe('ok');
    await issuer.rotateKeys({ keep: false });
    await issuer.advance(31);
    expect(await tell(verifier, await issuer.token(READ))).toBe('ok');
    expect(await tell(verifier, old)).toBe('unknown_key');
  });

  it('that cannot be reached leaves verifiers to what they know, and then to what their option says', async () => {
    const verifier = await verifierOf();
    const token = await issuer.token(READ);
    issuer.reachable = false;
    expect(await tell(verifier, token)).toBe('ok');
    await issuer.advance(11);
    expect(await tell(verifier, token)).toBe('cutoffs_stale');
    issuer.reachable = true;
    await expect.poll(() => tell(verifier, token), { timeout: 8000 }).toBe('ok');
  });

  it('may have a path, and has to be an issuer', async () => {
    issuer = await createTestIssuer({ audience, issuer: 'https://auth.test/t1' });
    expect(await tell(await verifierOf(), await issuer.token(READ))).toBe('ok');
    await expect(createTestIssuer({ audience, issuer: 'ftp://x' })).rejects.toThrow(TypeError);
  });
});

it('nothing of it reaches beyond the process, or needs node', () => {
  for (const file of ['test-issuer', 'test-feed', 'test-key', 'test-holder']) {
    const text = readFileSync(new URL(`${file}.ts`, import.meta.url), 'utf8');
    expect(text).not.toMatch(/from 'node:|Buffer/);
  }
});
