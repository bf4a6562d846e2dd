// Tokens in the name of another (RFC 8693) and what is known of a token (RFC 7662), as a caller asks for them.
import { describe, expect, it } from 'vitest';
import { clientScene, failure } from '../test/client-scene.ts';
import type { Answer } from '../test/tiny-authority.ts';
import type { Client } from './client.ts';
import { type TokenErrorCode } from './errors.ts';

const scene = clientScene();
const clientOf = (): Client => scene.open({ clientId: 'fraud-api', clientSecret: 'secret' });

describe('a token in the name of another', () => {
  const FRAUD = { resource: 'https://fraud.example.com' };

  it('is asked for with the token that came, and kept for it alone', async () => {
    const client = clientOf();
    const one = await client.token({ ...FRAUD, scope: 'b a', subjectToken: 'cot_one' });
    expect(Object.fromEntries(scene.tiny.calls[0]!.form)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'cot_one',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: 'https://fraud.example.com',
      scope: 'a b',
    });
    expect(await client.token({ ...FRAUD, scope: 'a b', subjectToken: 'cot_one' })).toBe(one);
    expect(await client.token({ ...FRAUD, scope: 'a b', subjectToken: 'cot_two' })).not.toBe(one);
    expect(await client.token({ ...FRAUD, scope: 'a b' })).not.toBe(one);
    expect(scene.tiny.calls).toHaveLength(3);
  });

  it('of a thousand callers leaves the client its own', async () => {
    const client = clientOf();
    const own = await client.token(FRAUD);
    for (let i = 0; i < 1001; i++) await client.token({ ...FRAUD, subjectToken: `cot_${i}` });
    expect(await client.token(FRAUD)).toBe(own);
  });

  it('is refused without a request for what is no token', async () => {
    const failed = await clientOf()
      .token({ subjectToken: 'two\nlines' })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'bad_option', option: 'subjectToken' });
    expect(String(failed)).not.toContain('lines');
  });
});

describe('introspection', () => {
  const introspecting = (): Client => {
    scene.tiny.metadata['introspection_endpoint'] = `${scene.tiny.issuer}/oauth/introspect`;
    return clientOf();
  };

  it('asks with the proof of the client and says what was answered', async () => {
    scene.tiny.next.push({ body: { active: true, sub: 'x' } }, { body: { active: false } });
    const client = introspecting();
    expect(await client.introspect('cot_x')).toEqual({ active: true, sub: 'x' });
    expect(await client.introspect('cot_x')).toEqual({ active: false });
    const { headers, form } = scene.tiny.calls[0]!;
    expect(Object.fromEntries(form)).toEqual({ token: 'cot_x' });
    expect(headers.authorization).toMatch(/^Basic /);
  });

  it.each<[string, Answer, TokenErrorCode]>([
    ['no JSON', { body: 'x' }, 'bad_response'],
    ['no active', { body: { sub: 'x' } }, 'bad_response'],
    ['active as a text', { body: { active: 'true' } }, 'bad_response'],
    ['a refusal', { status: 401, body: { error: 'invalid_client' } }, 'refused'],
  ])('that answers %s says nothing of the token', async (_what, answer, code) => {
    scene.tiny.next.push(answer);
    expect((await failure(introspecting().introspect('cot_x'))).code).toBe(code);
  });

  it('of an authority without it fails', async () => {
    expect((await failure(clientOf().introspect('cot_x'))).code).toBe('discovery_failed');
  });
});
