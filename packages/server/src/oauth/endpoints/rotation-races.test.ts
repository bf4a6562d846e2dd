// Rotation while clients prove themselves (RFC 7523 §3): each request has one outcome, and the log says which.
import { jwkThumbprint, signJws } from '@countersign/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addClientKey,
  assertionForm,
  assertionOf,
  type ClientKey,
  clientKey,
} from '../../../test/client-assertion.ts';
import { ISSUER, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { openPostgresStorage } from '../../database/postgres.ts';
import { testDatabases } from '../../database/test-databases.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { Storage } from '../../storage/storage.ts';

const SECONDS = Math.floor(NOW / 1000);
const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const databases = server === undefined ? undefined : testDatabases(server);
afterAll(() => databases?.dropAll());

describe('on SQLite', () => {
  races();
});

describe.skipIf(server === undefined)('on PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
  races(async () => openPostgresStorage({ url: (await databases?.create()) ?? '' }));
});

function races(openStorage?: () => Promise<Storage>): void {
  let scene: TokenScene;
  beforeAll(async () => {
    scene = await openTokenScene({}, undefined, openStorage);
  });
  afterAll(async () => {
    expect(scene.bugs).toEqual([]);
    await scene.close();
  });

  const send = (path: string, form: string): Promise<HttpResponse> =>
    scene.call(path, {
      body: Buffer.from(form),
      rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
    });
  const token = (by: ClientKey): Promise<HttpResponse> =>
    send('/oauth/token', `grant_type=client_credentials&${assertionForm(assertionOf(by, SECONDS))}`);
  const rotate = (by: ClientKey, next: ClientKey): Promise<HttpResponse> => {
    const claims = JSON.stringify({ iss: 'payments', aud: ISSUER, iat: SECONDS });
    const signer = { kid: undefined, alg: next.alg, keyObject: next.privateKey };
    const proof = signJws({ typ: 'new-key+jwt', jwk: next.jwk }, claims, signer);
    const assertion = assertionOf(by, SECONDS, { cnf: { jkt: jwkThumbprint(next.jwk) } });
    return send('/oauth/rotate', assertionForm(assertion, { new_key: proof }));
  };
  const issuedOn = (credential: string): number =>
    scene.log.events.filter((event) => event.type === 'token.issued' && event.credential === credential)
      .length;

  it('no request fails while a key gets its successor', async () => {
    const [key, next] = [clientKey(), clientKey()];
    const old = await addClientKey(scene, key);
    const asked = Array.from({ length: 30 }, (_, at) => (at === 15 ? rotate(key, next) : token(key)));
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
    expect(issuedOn(old.id)).toBe(29);
    const after = await Promise.all([token(key), token(next)]);
    expect(after.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('of requests and the end of their credential each has one outcome, which the log knows', async () => {
    const key = clientKey();
    const record = await addClientKey(scene, key);
    const ended = { ...record, state: 'expired', expiresAt: NOW, version: 2 } as const;
    const before = scene.log.events.length + scene.strangers.length;
    const end = scene.storage.credentials.replace(ended);
    const answers = await Promise.all(Array.from({ length: 30 }, () => token(key)));
    await end;
    const issued = answers.filter(({ status }) => status === 200).length;
    for (const answer of answers) {
      if (answer.status !== 200)
        expect([answer.status, jsonOf(answer)['error']]).toEqual([401, 'invalid_client']);
    }
    expect(issuedOn(record.id)).toBe(issued);
    expect(scene.log.events.length + scene.strangers.length - before).toBe(30);
    expect((await token(key)).status).toBe(401);
  });

  it('of a rotation and the revocation of its key, no key is left that works unseen', async () => {
    for (let round = 0; round < 5; round++) {
      const [key, next] = [clientKey(), clientKey()];
      const record = await addClientKey(scene, key);
      const [answer] = await Promise.all([
        rotate(key, next),
        scene.storage.credentials.replace({ ...record, state: 'revoked', version: 2 }).catch(() => undefined),
      ]);
      const made = await scene.storage.credentials.succeeding(record.id);
      expect(made.length).toBe(answer.status === 200 ? 1 : 0);
      const told = scene.log.events.filter(
        ({ type, resource }) => type === 'credential.rotated' && resource === record.id,
      );
      expect(told.length).toBe(made.length);
    }
  });
}
