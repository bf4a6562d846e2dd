// The keys that a resource server shares with the authority (RFC 9202 §3.3.1), as its client asks for them.
import { describe, expect, it } from 'vitest';
import { clientScene, failure } from '../test/client-scene.ts';
import type { Answer } from '../test/tiny-authority.ts';
import type { Client } from './client.ts';
import type { TokenErrorCode } from './errors.ts';

const scene = clientScene();
const LOCK = 'coaps://lock.example';
const KEY = { kid: 'key_1', tag: 'AAAAAQ', k: 'c2VjcmV0' };

function clientOf(): Client {
  scene.tiny.metadata['derivation_keys_endpoint'] = `${scene.tiny.issuer}/oauth/derivation-keys`;
  return scene.withSecret();
}

describe('derivation keys', () => {
  it('are asked for with the proof of the client, each time', async () => {
    scene.tiny.next.push({ body: { resource: LOCK, keys: [KEY] } }, { body: { resource: LOCK, keys: [] } });
    const client = clientOf();
    expect(await client.derivationKeys(LOCK)).toEqual([KEY]);
    expect(await client.derivationKeys(LOCK)).toEqual([]);
    const [first] = scene.tiny.calls;
    expect(Object.fromEntries(first?.form ?? [])).toEqual({ resource: LOCK });
    expect(first?.headers.authorization).toMatch(/^Basic /);
  });

  it.each<[string, Answer, TokenErrorCode]>([
    ['no JSON', { body: 'x' }, 'bad_response'],
    ['no keys', { body: { resource: LOCK } }, 'bad_response'],
    ['a key without its secret', { body: { keys: [{ kid: 'a', tag: 'b' }] } }, 'bad_response'],
    ['a refusal', { status: 400, body: { error: 'invalid_target' } }, 'refused'],
  ])('are none where the authority answers %s', async (_, answer, code) => {
    scene.tiny.next.push(answer);
    expect((await failure(clientOf().derivationKeys(LOCK))).code).toBe(code);
  });

  it('of an authority that has none are not to be had', async () => {
    expect((await failure(scene.withSecret().derivationKeys(LOCK))).code).toBe('discovery_failed');
  });
});
