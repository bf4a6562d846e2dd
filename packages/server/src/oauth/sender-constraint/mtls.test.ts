// Tokens bound to a certificate, as they are issued: RFC 8705 §3.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { proofKey, proofOf } from '../../../test/dpop-proof.ts';
import { testCertificate } from '../../../test/client-certificate.ts';
import { changed, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import type { HttpResponse } from '../../http/response.ts';

const own = testCertificate();
const request = { clientCertificate: { chain: [own.der], source: 'tls' } } as const;

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene({ clientCertificates: true });
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const wants = (senderConstraint: 'none' | 'dpop' | 'mtls'): Promise<void> =>
  scene.storage.resourceServers.replace(changed(scene.server, { senderConstraint }));
const claimsOf = (answer: HttpResponse): Record<string, unknown> =>
  JSON.parse(
    Buffer.from(String(jsonOf(answer).access_token).split('.')[1] ?? '', 'base64url').toString('utf8'),
  );

describe('a token for a resource server that wants certificates', () => {
  it('is bound to the one of the connection, however the client authenticates', async () => {
    await wants('mtls');
    const answer = await scene.ask('', { request });
    expect([answer.status, jsonOf(answer).token_type]).toEqual([200, 'Bearer']);
    expect(claimsOf(answer)['cnf']).toEqual({ 'x5t#S256': own.thumbprint });
  });

  it('is refused without one, with a DPoP proof instead, and with both', async () => {
    const dpop = { usedOnce: scene.storage.usedOnce, nonceKey: undefined };
    const { facts, secretHash } = scene.deps;
    const both = await openTokenScene({ facts, secretHash, clientCertificates: true, dpop });
    await wants('mtls');
    const ask = (change: object): Promise<HttpResponse> =>
      both.call('/oauth/token', {
        body: Buffer.from(`grant_type=client_credentials&client_id=payments&client_secret=${scene.secret}`),
        rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
        ...change,
      });
    const proof = () => [
      'DPoP',
      proofOf(proofKey(), Math.floor(NOW / 1000)),
      'Content-Type',
      'application/x-www-form-urlencoded',
    ];
    await ask({});
    await ask({ rawHeaders: proof() });
    await ask({ rawHeaders: proof(), ...request });
    expect(both.log.events.map(({ reason }) => reason)).toEqual([
      'sender_constraint_missing',
      'sender_constraint_missing',
      'several_sender_constraints',
    ]);
    await both.close();
  });

  it('is introspected as a bearer token with its certificate', async () => {
    await wants('mtls');
    const token = jsonOf(await scene.ask('', { request })).access_token as string;
    expect(jsonOf(await scene.about('/oauth/introspect', token))).toMatchObject({
      active: true,
      token_type: 'Bearer',
      cnf: { 'x5t#S256': own.thumbprint },
    });
  });
});

describe('a token for any other resource server', () => {
  it('is not bound to a certificate that happens to be there', async () => {
    const answer = await scene.ask('', { request });
    expect(answer.status).toBe(200);
    expect(claimsOf(answer)).not.toHaveProperty('cnf');
  });
});
