// JWT bearer grant (RFC 7523 §2.1): an issuer that is no longer trusted speaks for nobody, from that instant on.
import { formatBasicCredentials, TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addFederation,
  assertingAsGrant,
  type Federation,
  FOREIGN,
  SECONDS,
} from '../../../test/federation-scene.ts';
import { changed, ISSUER, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { changeTrustedIssuer } from '../../registry/trusted-issuer.ts';
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

const HOST = { ceiling: undefined, person: undefined };

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

  it.each<[string, boolean]>([
    ['', false],
    [', nor beside another proof of its client', true],
  ])('is not given out in an exchange either%s', async (_what, proves) => {
    const authorization = proves ? formatBasicCredentials('payments', scene.secret) : null;
    const other = await signingWhile({ state: 'suspended' });
    const body = new URLSearchParams({
      grant_type: TOKEN_EXCHANGE,
      subject_token: federation.assertion(),
      subject_token_type: TOKEN_TYPE.jwt,
    }).toString();
    const answer = await other.ask('', { authorization, body });
    expect([answer.status, jsonOf(answer).error]).toEqual([400, 'invalid_request']);
    await other.close();
  });

  it('is given out when nothing but the name of its issuer changes', async () => {
    const other = await signingWhile({ name: 'another name' });
    expect((await assertingAsGrant(other, federation.assertion())).status).toBe(200);
    await other.close();
  });
});

describe('a token that was used once', () => {
  const raiseAge = async (maxTokenAge: number): Promise<void> => {
    const { clock, deps, storage } = scene;
    const record = (await storage.trustedIssuers.byIssuer(FOREIGN)) as TrustedIssuerRecord;
    const rules = { clock, random: deps.random, issuer: ISSUER, fetchFault: () => undefined };
    await storage.transaction((stores) =>
      changeTrustedIssuer(rules, stores, () => undefined, HOST, record, { maxTokenAge }),
    );
  };
  const at = (seconds: number): void => scene.clock.set(NOW + seconds * 1000);
  const reasonOf = async (assertion: string): Promise<string> => {
    const answer = await assertingAsGrant(scene, assertion);
    if (answer.status === 200) return 'taken';
    return [...scene.log.events, ...scene.strangers.map(({ event }) => event)].at(-1)?.reason ?? 'unknown';
  };

  it('stays used up when its issuer’s tokens may get older than before, long after its mark is gone', async () => {
    const used = federation.assertion({ iat: SECONDS, exp: SECONDS + 80_000 });
    const unused = federation.assertion({ iat: SECONDS, exp: SECONDS + 80_000 });
    expect(await reasonOf(used)).toBe('taken');
    at(1000);
    expect(await reasonOf(used)).toBe('assertion_stale');
    await raiseAge(3600);
    expect(await reasonOf(used)).toBe('assertion_stale');
    expect(await reasonOf(unused)).toBe('assertion_stale');
    // Those that are issued afterwards may get as old as is said now.
    const later = federation.assertion({ iat: SECONDS + 1100, exp: SECONDS + 80_000 });
    at(1100 + 3599);
    expect(await reasonOf(later)).toBe('taken');
  });

  it('stays used up however often the age is raised', async () => {
    const used = federation.assertion({ iat: SECONDS, exp: SECONDS + 80_000 });
    expect(await reasonOf(used)).toBe('taken');
    at(1000);
    await raiseAge(900);
    at(1001);
    await raiseAge(86_400);
    expect(await reasonOf(used)).toBe('assertion_stale');
  });

  it('stays used up when its issuer is registered anew', async () => {
    const used = federation.assertion();
    expect(await reasonOf(used)).toBe('taken');
    const { trustedIssuers, credentials } = scene.storage;
    await trustedIssuers.replace(changed(federation.trustedIssuer, { state: 'deleted' }));
    await credentials.replace(changed(federation.credential, { state: 'revoked' }));
    await addFederation(scene, { issuer: { keys: federation.trustedIssuer.keys } });
    expect(await reasonOf(used)).toBe('assertion_replayed');
  });
});
