import type { JsonWebKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, makeMachine, resourceServerBody, type Machine } from './wire/admin.ts';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt, encodeJwt, es256Verifies } from './wire/jwt.ts';
import { freshName, rememberSecret, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { introspect } from './wire/token-call.ts';
import { askToken, type Params } from './wire/token-request.ts';

// RFC 8693: an API calls the next one in its caller's name. Threat 28: nothing gets wider on the way.
const target = currentTarget();
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

describe.runIf(target.admin !== undefined)('RFC 8693 token exchange (needs the admin API)', () => {
  /** `first.machine` calls the first API; `api` stands for it and calls the second; `last` stands for the second. */
  let first: SeededScene;
  let second: SeededScene;
  let third: SeededScene;
  let api: Machine;
  let last: Machine;

  beforeAll(async () => {
    first = await seedScene('rfc8693-first');
    second = await seedScene('rfc8693-second');
    third = await seedScene('rfc8693-third');
    for (const scene of [first, second]) {
      const { scopes } = resourceServerBody(scene.resource, ['read', 'write', 'delete', 'tokens:exchange']);
      const answer = await scene.admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, {
        scopes,
      });
      expect(answer.status, answer.text).toBe(200);
    }
    api = await machine('api');
    last = await machine('last');
    await give(api, first, ['tokens:exchange']);
    await give(api, second, ['read', 'write']);
    await give(last, second, ['tokens:exchange']);
    await give(last, third, ['read', 'write']);
    await give(first.machine, second, ['read', 'delete']);
    await give(first.machine, third, ['read']);
  });

  async function machine(stem: string): Promise<Machine> {
    const made = await makeMachine(first.admin, freshName(`rfc8693-${stem}`));
    rememberSecret(target, made.secret);
    return made;
  }

  async function give(to: Machine, at: SeededScene, scopes: string[]): Promise<string> {
    const made = await first.admin.must('POST', '/access', accessBody(to.identityId, at.resource, scopes));
    return String(made['id']);
  }

  async function subjectToken(client: Machine = first.machine, scope?: string): Promise<string> {
    const params = { resource: first.resource, ...(scope === undefined ? {} : { scope }) };
    return expectToken(await askToken({ client, params })).token;
  }

  function exchange(
    subject: string,
    change: Params = {},
    client: Machine | undefined = api,
  ): Promise<Answer> {
    const params = {
      grant_type: GRANT,
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      resource: second.resource,
      ...change,
    };
    return askToken({ client, params });
  }

  describe('section 2.1: the request', () => {
    test('the metadata names the grant', async () => {
      const answer = await send(`${target.issuer}/.well-known/oauth-authorization-server`, { ca: target.ca });
      expect(jsonOf(answer)['grant_types_supported']).toContain(GRANT);
    });

    test('the client proves itself', async () => {
      const params = {
        grant_type: GRANT,
        subject_token: await subjectToken(),
        subject_token_type: ACCESS_TOKEN,
        resource: second.resource,
      };
      expectOAuthError(await askToken({ params }), 401, 'invalid_client');
      expectOAuthError(
        await askToken({ client: { ...api, secret: `${api.secret}x` }, params }),
        401,
        'invalid_client',
      );
    });

    test.each(['subject_token', 'actor_token'])('%s in the URL is refused', async (name) => {
      const params = { grant_type: GRANT, subject_token: 'x', subject_token_type: ACCESS_TOKEN };
      const answer = await askToken({ client: api, params, query: `?${name}=x` });
      expect(expectOAuthError(answer, 400, 'invalid_request')['error_description']).toMatch(/URL/);
    });

    test.each(['subject_token', 'subject_token_type'])('without %s it is invalid_request', async (name) => {
      expectOAuthError(await exchange(await subjectToken(), { [name]: '' }), 400, 'invalid_request');
    });

    test.each(['subject_token', 'subject_token_type', 'scope', 'requested_token_type'])(
      'two of %s are invalid_request',
      async (name) => {
        const subject = await subjectToken();
        expectOAuthError(await exchange(subject, { [name]: [subject, subject] }), 400, 'invalid_request');
      },
    );

    test('actor_token_type comes with actor_token and never without', async () => {
      const subject = await subjectToken();
      expectOAuthError(await exchange(subject, { actor_token: subject }), 400, 'invalid_request');
      expectOAuthError(await exchange(subject, { actor_token_type: ACCESS_TOKEN }), 400, 'invalid_request');
    });

    test.each([
      'urn:ietf:params:oauth:token-type:refresh_token',
      'urn:ietf:params:oauth:token-type:id_token',
      'urn:ietf:params:oauth:token-type:saml2',
      'access_token',
      ACCESS_TOKEN.toUpperCase(),
    ])('what is no access token is neither given nor taken: %s', async (type) => {
      const subject = await subjectToken();
      expectOAuthError(await exchange(subject, { subject_token_type: type }), 400, 'invalid_request');
      expectOAuthError(await exchange(subject, { requested_token_type: type }), 400, 'invalid_request');
    });

    test('the target is resource or audience, and one', async () => {
      const subject = await subjectToken();
      const { audienceOnly, both } = {
        audienceOnly: { resource: '', audience: second.resource },
        both: { audience: second.resource },
      };
      for (const change of [audienceOnly, both])
        expect(decodeJwt(expectToken(await exchange(subject, change)).token).claims['aud']).toBe(
          second.resource,
        );
      for (const change of [
        { audience: third.resource },
        { resource: [second.resource, third.resource] },
        { resource: '', audience: [second.resource, third.resource] },
        { resource: '', audience: 'ledger' },
        { resource: `${second.resource}#x` },
      ])
        expectOAuthError(await exchange(subject, change), 400, 'invalid_target');
    });
  });

  describe('section 2.2: the answer', () => {
    test('a token of the authority, with its type, and nothing that renews it', async () => {
      const { token, body } = expectToken(await exchange(await subjectToken()));
      expect(body).toMatchObject({ issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', scope: 'read' });
      expect(body).not.toHaveProperty('refresh_token');
      const keys = jsonOf(await send(target.jwksUri, { ca: target.ca }))['keys'] as JsonWebKey[];
      const key = keys.find((each) => each['kid'] === decodeJwt(token).header['kid']);
      expect(key !== undefined && es256Verifies(token, key)).toBe(true);
    });

    test('a JWT when that is what is wanted, usable as an access token all the same', async () => {
      const change = { requested_token_type: JWT, subject_token_type: JWT };
      expect(expectToken(await exchange(await subjectToken(), change)).body).toMatchObject({
        issued_token_type: JWT,
        token_type: 'Bearer',
      });
    });

    test('section 2.2.2: a subject token that is none, or not good, is invalid_request', async () => {
      const live = await subjectToken();
      const { header, claims, signature } = decodeJwt(live);
      for (const subject of [
        'x',
        'a.b.c',
        encodeJwt(header, claims),
        encodeJwt(header, { ...claims, sub: 'admin' }, signature),
        encodeJwt({ ...header, alg: 'none' }, claims, Buffer.alloc(0)),
        'A'.repeat(30_000),
      ])
        expectOAuthError(await exchange(subject), 400, 'invalid_request');
      await first.admin.must('POST', '/cutoffs', { kind: 'token', id: claims['jti'], reason: 'conformance' });
      expectOAuthError(await exchange(live), 400, 'invalid_request');
    });
  });

  describe('section 4.1: delegation', () => {
    test('the subject stays, the client acts', async () => {
      const { claims } = decodeJwt(expectToken(await exchange(await subjectToken())).token);
      expect(claims).toMatchObject({ sub: first.machine.id, client_id: api.id, act: { sub: api.id } });
    });

    test('the current actor is the outermost, and the log knows the row', async () => {
      const once = expectToken(await exchange(await subjectToken())).token;
      const twice = await exchange(once, { resource: third.resource }, last);
      const { claims } = decodeJwt(expectToken(twice).token);
      const act = { sub: last.id, act: { sub: api.id } };
      expect(claims).toMatchObject({ sub: first.machine.id, client_id: last.id, act, scope: 'read' });
      const explained = await first.admin.must('GET', `/explain/${String(twice.headers['request-id'])}`);
      expect(String(explained['summary'])).toContain(`in the name of ${first.machine.id}, after ${api.id}`);
      expect((explained['events'] as { detail: object }[])[0]?.detail).toMatchObject({
        act,
        sub: first.machine.id,
      });
    });

    test('an actor token says who the client is, and no more than that', async () => {
      const own = expectToken(await askToken({ client: api, params: { resource: second.resource } })).token;
      const good = { actor_token: own, actor_token_type: ACCESS_TOKEN };
      const { claims } = decodeJwt(expectToken(await exchange(await subjectToken(), good)).token);
      expect(claims['act']).toEqual({ sub: api.id });
      const subject = await subjectToken();
      for (const actor of [subject, 'x', expectToken(await exchange(subject)).token])
        expectOAuthError(await exchange(subject, { ...good, actor_token: actor }), 400, 'invalid_request');
    });
  });

  describe('threat 28: nothing gets wider', () => {
    test('threat 28: scope: what both hold, whatever is asked for', async () => {
      const subject = await subjectToken();
      expect(expectToken(await exchange(subject, { scope: 'read write delete' })).scopes).toEqual(['read']);
      for (const scope of ['write', 'delete', 'tokens:exchange', 'admin'])
        expectOAuthError(await exchange(subject, { scope }), 400, 'invalid_scope');
    });

    test('threat 28: audience: nowhere that the subject may not go itself, and never the admin API', async () => {
      const caller = await machine('caller');
      await give(caller, first, ['read']);
      const subject = await subjectToken(caller);
      expectOAuthError(await exchange(subject), 400, 'invalid_target');
      const { resource } = target.admin as NonNullable<typeof target.admin>;
      const powerful = await machine('powerful');
      for (const each of [powerful, caller]) {
        const body = accessBody(each.identityId, resource, ['identities:read']);
        await first.admin.must('POST', '/access', body);
      }
      await give(powerful, first, ['tokens:exchange']);
      expectOAuthError(await exchange(subject, { resource }, powerful), 400, 'invalid_target');
    });

    test('threat 28: life: never longer than the first token, however often it is exchanged', async () => {
      const subject = await subjectToken();
      const { exp } = decodeJwt(subject).claims as { exp: number };
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const once = expectToken(await exchange(subject)).token;
      expect(decodeJwt(once).claims['exp']).toBe(exp);
      const twice = expectToken(await exchange(once, { resource: third.resource }, last)).token;
      expect(decodeJwt(twice).claims['exp']).toBe(exp);
    });

    test('threat 28: an own token is not exchanged for a younger one', async () => {
      const own = expectToken(await askToken({ client: api, params: { resource: second.resource } })).token;
      expectOAuthError(await exchange(own), 400, 'invalid_request');
      const made = expectToken(await exchange(await subjectToken())).token;
      expectOAuthError(await exchange(made), 400, 'invalid_request');
    });

    test('threat 28: a token that was sent to another API, or that its client only calls, is not exchanged', async () => {
      const caller = await machine('stranger');
      await give(caller, first, ['read']);
      await give(caller, second, ['read']);
      expectOAuthError(await exchange(await subjectToken(), {}, caller), 400, 'invalid_request');
      const elsewhere = expectToken(
        await askToken({ client: first.machine, params: { resource: second.resource } }),
      ).token;
      expectOAuthError(await exchange(elsewhere), 400, 'invalid_request');
    });

    test('threat 28: what ends the first token ends what was made of it', async () => {
      const caller = await machine('ending');
      await give(caller, first, ['read']);
      const there = await give(caller, second, ['read']);
      const made = expectToken(await exchange(await subjectToken(caller))).token;
      expect(jsonOf(await introspect(made, api))).toMatchObject({ active: true, sub: caller.id });
      await first.admin.change('DELETE', `/access/${there}`);
      expect((await introspect(made, api)).text).toBe('{"active":false}');

      const subject = await subjectToken();
      const other = expectToken(await exchange(subject)).token;
      const id = decodeJwt(subject).claims['jti'];
      await first.admin.must('POST', '/cutoffs', { kind: 'token', id, reason: 'conformance' });
      expect((await introspect(other, api)).text).toBe('{"active":false}');
    });
  });
});
