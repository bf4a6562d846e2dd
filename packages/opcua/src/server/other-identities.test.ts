// Sessions without a token: what a server that takes tokens does with everything else.
import { expect, test } from 'vitest';
import { statusOfRead } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';

const scene = openScene();

test('nobody is anonymous where that was not declared, whether said or left out', async () => {
  const { opcua } = scene;
  expect(await scene.refusal(() => new opcua.AnonymousIdentityToken({ policyId: 'anonymous' }))).toBe(
    'BadIdentityTokenInvalid',
  );
  expect(await scene.refusal(() => null as unknown as object)).toBe('BadIdentityTokenInvalid');
  for (const endpoint of scene.press.server.endpoints[0].endpointDescriptions()) {
    for (const policy of endpoint.userIdentityTokens)
      expect(policy.tokenType).toBe(opcua.UserTokenType.IssuedToken);
  }
});

test('user names and certificates of users open nothing', async () => {
  const { opcua, panel } = scene;
  const byName = new opcua.UserNameIdentityToken({
    userName: 'root',
    password: Buffer.from('x'),
    policyId: 'token',
  });
  expect(await scene.refusal(() => byName)).toBe('BadIdentityTokenInvalid');
  const byCertificate = new opcua.X509IdentityToken({
    certificateData: panel.certificate,
    policyId: 'certificateX509',
  });
  expect(await scene.refusal(() => byCertificate)).toBe('BadIdentityTokenInvalid');
});

test('a session with a token changes into no other identity', async () => {
  const { opcua, panel, press } = scene;
  const held = await scene.session(await scene.withScope('opcua.read'));
  const others = [
    new opcua.AnonymousIdentityToken({ policyId: 'anonymous' }),
    new opcua.UserNameIdentityToken({ userName: 'root', password: Buffer.from('x'), policyId: 'token' }),
    new opcua.X509IdentityToken({ certificateData: panel.certificate, policyId: 'certificateX509' }),
  ];
  for (const token of others) expect(await held.activate(() => token)).toMatch(/^BadIdentity/);
  expect(await statusOfRead(opcua, held.session, press.nodes.temperature)).toBe('Good');
});
