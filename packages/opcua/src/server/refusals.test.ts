// Identity tokens that are refused, each with OPC UA's own status; whoever else is connected notices nothing.
import { createTestIssuer } from '@countersign/resource-server/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRaw, PRESS, type RawSession, type Seal, sealed, statusOfRead } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';
import { encryptSecret, packSecret, TOKEN_ENCRYPTIONS } from '../token-encryption.ts';
import { X509Certificate } from 'node:crypto';
import { MAX_ENCRYPTED_BYTES } from './read-token.ts';
import { POLICY_ID } from './token-policy.ts';

const scene = openScene();
let bystander: RawSession;

beforeEach(async () => {
  const { opcua, press, historian } = scene;
  bystander = await openRaw(
    opcua,
    press,
    historian,
    await scene.withScope('opcua.read', { client_id: 'historian' }),
  );
});

afterEach(async () => {
  if (bystander === undefined) return;
  expect(await statusOfRead(scene.opcua, bystander.session, scene.press.nodes.temperature)).toBe('Good');
  await bystander.close();
});

/** An identity token of the test's own making. */
function raw(make: (context: Parameters<Seal>[0]) => object): Seal {
  return (context) => new scene.opcua.IssuedIdentityToken({ policyId: POLICY_ID, ...make(context) });
}

const BASIC = TOKEN_ENCRYPTIONS['http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256']!;

function encrypted(text: string, nonce: Buffer, certificate: Buffer): object {
  const key = new X509Certificate(certificate).publicKey;
  return {
    tokenData: encryptSecret(packSecret(Buffer.from(text), nonce), key, BASIC),
    encryptionAlgorithm: BASIC.algorithm,
  };
}

test('a token that another key has signed is refused', async () => {
  const stranger = await createTestIssuer({ audience: PRESS });
  const token = await stranger.token({ scope: 'opcua.read' });
  expect(await scene.refusal(sealed(scene.opcua, token))).toBe('BadIdentityTokenRejected');
  expect(['unknown_key', 'bad_signature']).toContain(scene.lastReason());
});

test.each([
  ['for another server', { aud: 'urn:plant.example:press-8' }, 'wrong_audience'],
  ['that has expired', { exp: 1_700_000_000, iat: 1_699_999_000 }, 'expired'],
  ['of another issuer', { iss: 'https://other.test' }, 'wrong_issuer'],
])('a token %s is refused', async (_what, claims, reason) => {
  expect(await scene.refusal(await scene.withScope('opcua.read', claims))).toBe('BadIdentityTokenRejected');
  expect(scene.lastReason()).toBe(reason);
});

test('text that is no token is refused', async () => {
  expect(await scene.refusal(sealed(scene.opcua, 'not a token'))).toBe('BadIdentityTokenInvalid');
  expect(scene.lastReason()).toBe('malformed_token');
});

test('a token in clear is refused, on an encrypted channel and on one without security', async () => {
  const token = await scene.issuer.token({ scope: 'opcua.read' });
  const clear = raw(() => ({ tokenData: Buffer.from(token), encryptionAlgorithm: null }));
  expect(await scene.refusal(clear)).toBe('BadIdentityTokenInvalid');
  expect(scene.lastReason()).toBe('token_not_encrypted');
  expect(await scene.refusal(clear, { mode: 'None', policy: 'None' })).toBe('BadSecurityModeInsufficient');
  expect(scene.lastReason()).toBe('insecure_channel');
});

test('an encrypted token is refused on a channel without security, which anybody could take over', async () => {
  const token = await scene.issuer.token({ scope: 'opcua.read' });
  const { machine } = scene;
  const seal = raw(({ serverNonce }) => encrypted(token, serverNonce, machine.certificate));
  expect(await scene.refusal(seal, { mode: 'None', policy: 'None' })).toBe('BadSecurityModeInsufficient');
});

test('a token that was encrypted for another nonce is refused: one session cannot replay that of another', async () => {
  const token = await scene.issuer.token({ scope: 'opcua.read' });
  let recorded: object | undefined;
  const held = await scene.session((context) => (recorded = sealed(scene.opcua, token)(context)));
  expect(await scene.refusal(() => recorded as object)).toBe('BadIdentityTokenInvalid');
  expect(scene.lastReason()).toBe('undecipherable_token');
  // Nor on the same session: its nonce was used.
  expect(await held.activate(() => recorded as object)).toBe('BadIdentityTokenInvalid');
  expect(await statusOfRead(scene.opcua, held.session, scene.press.nodes.temperature)).toBe('Good');
});

test('a token that was encrypted for another server is refused', async () => {
  const token = await scene.issuer.token({ scope: 'opcua.read' });
  const seal = raw(({ serverNonce }) => encrypted(token, serverNonce, scene.historian.certificate));
  expect(await scene.refusal(seal)).toBe('BadIdentityTokenInvalid');
});

test('encrypted rubbish is refused, and so is nothing', async () => {
  for (const tokenData of [Buffer.alloc(256, 7), Buffer.alloc(100, 7), Buffer.alloc(0)]) {
    const seal = raw(() => ({ tokenData, encryptionAlgorithm: BASIC.algorithm }));
    expect(await scene.refusal(seal)).toBe('BadIdentityTokenInvalid');
    expect(scene.lastReason()).toBe('undecipherable_token');
  }
});

test('more than 8192 bytes are not decrypted', async () => {
  expect(MAX_ENCRYPTED_BYTES).toBe(8192);
  const seal = raw(({ serverNonce }) => encrypted('x'.repeat(7000), serverNonce, scene.machine.certificate));
  expect(await scene.refusal(seal)).toBe('BadIdentityTokenInvalid');
  expect(scene.lastReason()).toBe('token_too_long');
});

test('an algorithm that is not of the channel is refused', async () => {
  const token = await scene.issuer.token({ scope: 'opcua.read' });
  const seal = raw(({ serverNonce }) => ({
    ...encrypted(token, serverNonce, scene.machine.certificate),
    encryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-1_5',
  }));
  expect(await scene.refusal(seal)).toBe('BadIdentityTokenInvalid');
  expect(scene.lastReason()).toBe('wrong_encryption');
});

// OPC 10000-4 §7.40.2.4: an extension object in the place of the token, and no algorithm beside it. node-opcua has none to send.
test('an RsaEncryptedSecret is refused as what is not encrypted as here', async () => {
  const tokenData = Buffer.concat([Buffer.from([1, 0, 0x89, 0x44, 1, 0x40, 1, 0, 0]), Buffer.alloc(320, 7)]);
  for (const encryptionAlgorithm of [null, '']) {
    const status = await scene.refusal(raw(() => ({ tokenData, encryptionAlgorithm })));
    expect(status).toBe('BadIdentityTokenInvalid');
    expect(scene.lastReason()).toBe('token_not_encrypted');
  }
});

test('a policy that was not offered is refused', async () => {
  const token = await scene.issuer.token({ scope: 'opcua.read' });
  const seal = raw(({ serverNonce }) => ({
    ...encrypted(token, serverNonce, scene.machine.certificate),
    policyId: 'anonymous',
  }));
  expect(await scene.refusal(seal)).toBe('BadIdentityTokenInvalid');
  expect(scene.lastReason()).toBe('no_such_policy');
});

test('the session of one is not taken over with the token of another', async () => {
  const held = await scene.session(
    await scene.withScope('opcua.read', { client_id: 'panel-1', sub: 'panel-1' }),
  );
  const other = await scene.withScope('opcua.engineer', { client_id: 'thief', sub: 'thief' });
  expect(await held.activate(other)).toBe('BadIdentityChangeNotSupported');
  expect(scene.lastReason()).toBe('renewed_by_another');
  expect(await statusOfRead(scene.opcua, held.session, scene.press.nodes.recipe)).toBe('BadUserAccessDenied');
  expect(await statusOfRead(scene.opcua, held.session, scene.press.nodes.temperature)).toBe('Good');
});

test('whoever only knows the client id of another gets nowhere', async () => {
  const stranger = await createTestIssuer({ audience: PRESS });
  const forged = await stranger.token({ scope: 'opcua.read', client_id: 'historian', sub: 'historian' });
  expect(await scene.refusal(sealed(scene.opcua, forged))).toBe('BadIdentityTokenRejected');
});

test('while the authority cannot be heard, the answer is another one than no', async () => {
  const { opcua, plant, machine, issuer, press } = scene;
  const { createVerifier } = await import('@countersign/resource-server');
  const deaf = createVerifier({
    ...issuer.options,
    fetch: () => Promise.reject(new TypeError('fetch failed')),
    audience: PRESS,
  });
  const other = await plant.press(machine, deaf);
  try {
    const status = await openRaw(opcua, other, scene.panel, await scene.withScope('opcua.read')).then(
      () => 'Good',
      (error: Error) => error.message,
    );
    expect(status).toBe('BadResourceUnavailable');
  } finally {
    await other.close();
    await deaf.close();
  }
  expect(press.url).not.toBe(other.url);
});
