import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, makeMachine, resourceServerBody, type Machine } from './wire/admin.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, openScene, seedScene, type Scene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// RFC 8707: one token is for one resource server, named by the client or by the only access that it has.
const target = currentTarget();

describe('RFC 8707 section 2: the resource parameter', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('rfc8707');
  });

  test.each<[string, () => string]>([
    ['unknown', () => 'https://nobody.example/api'],
    ['relative', () => '/api'],
    ['no URI', () => 'orders'],
    ['with a fragment', () => `${scene.resource ?? 'https://nobody.example/'}#part`],
    ['with an empty fragment', () => `${scene.resource ?? 'https://nobody.example/'}#`],
    ['with a slash more', () => `${scene.resource ?? 'https://nobody.example'}/`],
    ['with another case', () => (scene.resource ?? 'https://nobody.example/').toUpperCase()],
    [
      'with the default port',
      () => (scene.resource ?? 'https://nobody.example/').replace('.example', '.example:443'),
    ],
    ['with a query', () => `${scene.resource ?? 'https://nobody.example/'}?a=b`],
    [
      'with dot segments',
      () => (scene.resource ?? 'https://nobody.example/api').replace('/api', '/x/../api'),
    ],
    ['its beginning', () => (scene.resource ?? 'https://nobody.example/api').slice(0, -1)],
    ['with a space after', () => `${scene.resource ?? 'https://nobody.example/'} `],
    ['the issuer', () => target.issuer],
    ['100 kB', () => `https://nobody.example/${'a'.repeat(30_000)}`],
  ])('%s: invalid_target', async (_what, resource) => {
    // a foreign target's identifier may have nothing that this change touches
    if (resource() === scene.resource) return;
    const answer = await askToken({ client: scene.client, params: { resource: resource() } });
    expectOAuthError(answer, 400, 'invalid_target');
  });

  test('a resource without value counts as left out', async () => {
    const answer = await askToken({ client: scene.client, params: { resource: '' } });
    if (answer.status !== 200) expectOAuthError(answer, 400, ['invalid_target', 'invalid_request']);
  });
});

describe.runIf(target.admin !== undefined)(
  'threat 27: RFC 8707 section 2: which audience (needs the admin API)',
  () => {
    let one: SeededScene;
    let other: SeededScene;
    let both: Machine;

    beforeAll(async () => {
      one = await seedScene('rfc8707-one');
      other = await seedScene('rfc8707-other');
      both = await makeMachine(one.admin, freshName('rfc8707-both'));
      await one.admin.must('POST', '/access', accessBody(both.identityId, one.resource, ['read']));
      await one.admin.must('POST', '/access', accessBody(both.identityId, other.resource, ['write']));
    });

    test('a client with one access need not name it', async () => {
      const made = expectToken(await askToken({ client: one.client }));
      expect(decodeJwt(made.token).claims['aud']).toBe(one.resource);
    });

    test('a client with several accesses must name one: invalid_target', async () => {
      expectOAuthError(await askToken({ client: both }), 400, 'invalid_target');
    });

    test('the audience is exactly the named resource, with the scopes held there and no others', async () => {
      for (const [resource, scope] of [
        [one.resource, 'read'],
        [other.resource, 'write'],
      ] as const) {
        const made = expectToken(await askToken({ client: both, params: { resource } }));
        const { claims } = decodeJwt(made.token);
        expect(claims['aud']).toBe(resource);
        expect(claims['scope']).toBe(scope);
        expect(made.scopes).toEqual([scope]);
      }
    });

    test('scopes held at another resource server are not given here: invalid_scope', async () => {
      const params = { resource: one.resource, scope: 'write' };
      expectOAuthError(await askToken({ client: both, params }), 400, 'invalid_scope');
    });

    test('two resources are invalid_target, held or not', async () => {
      for (const resource of [
        [one.resource, other.resource],
        [one.resource, 'https://nobody.example/'],
      ])
        expectOAuthError(await askToken({ client: both, params: { resource } }), 400, 'invalid_target');
    });

    test('a resource server to which the client has no access is invalid_target, as one that is not there', async () => {
      const answer = await askToken({ client: one.client, params: { resource: other.resource } });
      const unknown = await askToken({ client: one.client, params: { resource: 'https://nobody.example/' } });
      expectOAuthError(answer, 400, 'invalid_target');
      expect(answer.text).toBe(unknown.text);
    });

    test('a client without access gets nothing: invalid_target', async () => {
      const nobody = await makeMachine(one.admin, freshName('rfc8707-nobody'));
      expectOAuthError(await askToken({ client: nobody }), 400, 'invalid_target');
      expectOAuthError(
        await askToken({ client: nobody, params: { resource: one.resource } }),
        400,
        'invalid_target',
      );
    });

    test('an access that has ended gives nothing, and the next request knows', async () => {
      const leaver = await makeMachine(one.admin, freshName('rfc8707-leaver'));
      const access = await one.admin.must(
        'POST',
        '/access',
        accessBody(leaver.identityId, one.resource, ['read']),
      );
      expectToken(await askToken({ client: leaver }));
      expect((await one.admin.change('DELETE', `/access/${String(access['id'])}`)).status).toBeLessThan(300);
      expectOAuthError(await askToken({ client: leaver }), 400, 'invalid_target');
    });

    test('the token of a narrowed access has the narrowed scopes at once', async () => {
      const machine = await makeMachine(one.admin, freshName('rfc8707-narrow'));
      const access = await one.admin.must(
        'POST',
        '/access',
        accessBody(machine.identityId, one.resource, ['read', 'write']),
      );
      const id = String(access['id']);
      const changed = await one.admin.change('PATCH', `/access/${id}`, { scopes: ['read'] });
      expect(changed.status, changed.text).toBe(200);
      expect(expectToken(await askToken({ client: machine })).scopes).toEqual(['read']);
    });

    test('any absolute URI may name a resource server', async () => {
      for (const identifier of [
        `urn:example:${freshName('x')}`,
        `https://${freshName('y')}.example:8443/a/b?c=d`,
      ]) {
        const made = await one.admin.call('POST', '/resource-servers', {
          body: { ...resourceServerBody('https://name.example/', ['read']), identifier },
        });
        expect(made.status, made.text).toBe(201);
        const machine = await makeMachine(one.admin, freshName('rfc8707-urn'));
        await one.admin.must('POST', '/access', accessBody(machine.identityId, identifier, ['read']));
        const token = expectToken(
          await askToken({ client: machine, params: { resource: identifier } }),
        ).token;
        expect(decodeJwt(token).claims['aud']).toBe(identifier);
      }
    });

    test.each(['/relative', 'https://name.example/#fragment', 'not a uri', ''])(
      'the identifier %j is not taken for a resource server',
      async (identifier) => {
        const made = await one.admin.call('POST', '/resource-servers', {
          body: { ...resourceServerBody('https://name.example/', ['read']), identifier },
        });
        expect(made.status).toBe(400);
      },
    );
  },
);
