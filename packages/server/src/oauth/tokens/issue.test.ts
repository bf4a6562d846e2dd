import { describe, expect, it } from 'vitest';
import { openTokenScene } from '../../../test/token-scene.ts';
import { pooledRandom } from '../../ids.ts';
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { IssueTerms } from './authorization.ts';
import { issue, type IssuedToken } from './issue.ts';

const CLIENT = { clientId: 'payments', credentialId: 'crd_1' };

/** The claims that an issued token would be signed over. */
async function issued(terms?: IssueTerms): Promise<{ claims: Record<string, unknown>; token: IssuedToken }> {
  const scene = await openTokenScene();
  const held: EffectiveAccess = {
    access: scene.access,
    resourceServer: scene.server,
    scopes: ['fraud:read'],
  };
  const keystore = {
    sign: (_alg: string, _typ: string, payload: string) => Promise.resolve(payload),
    signBytes: () => Promise.reject(new Error('no CBOR here')),
    sealingKey: scene.deps.keystore.sealingKey,
  };
  const deps = { issuer: 'https://authority.test', keystore, random: pooledRandom() };
  const token = issue(deps, CLIENT, held, 60, 1000, terms);
  await scene.close();
  return { claims: JSON.parse(await token.signed) as Record<string, unknown>, token };
}

describe('a token', () => {
  it('of a client that asks for itself is a bearer token without cnf and act', async () => {
    const { claims, token } = await issued();
    expect(token.tokenType).toBe('Bearer');
    expect(Object.keys(claims)).not.toContain('cnf');
    expect(Object.keys(claims)).not.toContain('act');
  });

  it('bound by DPoP says so in cnf and in its type', async () => {
    const { claims, token } = await issued({ confirmation: { jkt: 'a' }, delegation: undefined });
    expect(claims).toMatchObject({ sub: 'payments', cnf: { jkt: 'a' } });
    expect(token.tokenType).toBe('DPoP');
  });

  it('bound to a certificate is of type Bearer (RFC 8705 §3)', async () => {
    const { claims, token } = await issued({ confirmation: { 'x5t#S256': 'a' }, delegation: undefined });
    expect(claims).toMatchObject({ cnf: { 'x5t#S256': 'a' } });
    expect(token.tokenType).toBe('Bearer');
  });

  it('in the name of another has that subject, and the client as who acts, whatever the subject is called', async () => {
    const delegation = {
      subject: 'a "b"\u2028',
      actor: { sub: 'payments', act: { sub: 'x' } },
      expiresAt: 9,
    };
    const { claims } = await issued({ confirmation: undefined, delegation });
    expect(claims).toMatchObject({
      sub: 'a "b"\u2028',
      client_id: 'payments',
      act: { sub: 'payments', act: { sub: 'x' } },
    });
    // What was written for the other is not remembered for the client itself.
    expect((await issued()).claims).toMatchObject({ sub: 'payments' });
  });
});
