// JWT bearer grant (RFC 7523 §2.1): an issuer that is no longer trusted speaks for nobody, from that instant on.
import { TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addFederation, assertingAsGrant, type Federation } from '../../../test/federation-scene.ts';
import { changed, jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';

let scene: TokenScene;
let federation: Federation;
beforeEach(async () => {
  scene = await openTokenScene();
  federation = await addFederation(scene);
});
afterEach(() => scene.close());

/** The same authority, where something happens to the issuer while a token is being signed. */
async function signingWhile(change: Partial<TrustedIssuerRecord>): Promise<TokenScene> {
  const { keystore } = scene.deps;
  const slow: TokenScene['deps']['keystore'] = {
    ...keystore,
    sign: async (...args) => {
      await scene.storage.trustedIssuers.replace(changed(federation.trustedIssuer, change));
      return await keystore.sign(...args);
    },
  };
  return await openTokenScene({ ...scene.deps, keystore: slow });
}

describe('a token in the making', () => {
  it.each<[string, Partial<TrustedIssuerRecord>, string]>([
    ['suspended', { state: 'suspended' }, 'assertion_issuer_suspended'],
    ['given other keys', { keys: { from: 'jwks', jwks: { keys: [] } } }, 'assertion_key_unknown'],
  ])('is not given out when its issuer is %s meanwhile', async (_what, change, reason) => {
    const other = await signingWhile(change);
    const answer = await assertingAsGrant(other, federation.assertion());
    expect([answer.status, jsonOf(answer).error]).toEqual([400, 'invalid_grant']);
    expect(scene.log.events.map((event) => event.type)).not.toContain('token.issued');
    expect([...scene.log.events, ...scene.strangers.map(({ event }) => event)].at(-1)?.reason).toBe(reason);
    await other.close();
  });

  it('is not given out in an exchange either', async () => {
    const other = await signingWhile({ state: 'suspended' });
    const body = new URLSearchParams({
      grant_type: TOKEN_EXCHANGE,
      subject_token: federation.assertion(),
      subject_token_type: TOKEN_TYPE.jwt,
    }).toString();
    const answer = await other.ask('', { authorization: null, body });
    expect([answer.status, jsonOf(answer).error]).toEqual([400, 'invalid_request']);
    await other.close();
  });

  it('is given out when nothing but the name of its issuer changes', async () => {
    const other = await signingWhile({ name: 'another name' });
    expect((await assertingAsGrant(other, federation.assertion())).status).toBe(200);
    await other.close();
  });
});
