import { beforeAll, describe, expect, test } from 'vitest';
import { identityBody, openAdmin, type Admin } from './wire/admin.ts';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectProblem } from './wire/expectations.ts';
import { freshName } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';

// The admin API under input that no honest script sends: a documented 4xx in problem+json each time, and never a 5xx.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('admin API input (needs the admin API)', () => {
  let admin: Admin;

  beforeAll(() => {
    admin = openAdmin(target);
  });

  function post(body: unknown, headers: [string, string][] = []): Promise<Answer> {
    return admin.call('POST', '/identities', { body, headers });
  }

  describe('bodies', () => {
    test.each<[string, string | Buffer]>([
      ['no JSON', 'name=x'],
      ['half JSON', '{"name":'],
      ['an array', '[]'],
      ['null', 'null'],
      ['a number', '1'],
      ['a string', '"x"'],
      ['nothing', ''],
      ['trailing text', '{} {}'],
      ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
      ['a byte order mark and nothing else', Buffer.from([0xef, 0xbb, 0xbf])],
      ['10,000 arrays deep', '['.repeat(10_000) + ']'.repeat(10_000)],
      ['5,000 objects deep', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
      ['5,000 objects deep in a known field', `{"owner":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`],
    ])('%s is 400', async (_what, body) => {
      expectProblem(await post(body), 400);
    });

    test('2 MB are refused by size', async () => {
      const answer = await post({ ...identityBody('x'), purpose: 'x'.repeat(2_000_000) }).catch(
        (error: Error) => error,
      );
      if (answer instanceof Error) expect(answer.message).toMatch(/ECONNRESET|EPIPE|socket hang up/);
      else expectProblem(answer, [400, 413]);
    });

    test.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json;x',
    ])('content type %s is refused', async (type) => {
      const answer = await post(JSON.stringify(identityBody(freshName('type'))), [['Content-Type', type]]);
      expectProblem(answer, [400, 415]);
    });

    test('an unknown field is refused by name', async () => {
      const answer = await post(identityBody(freshName('extra'), { colour: 'red' }));
      expectProblem(answer, 400);
      expect(answer.text).toContain('colour');
    });

    test('threat 38: __proto__ and constructor are unknown fields like others', async () => {
      const text = JSON.stringify(identityBody(freshName('proto')));
      for (const extra of ['"__proto__":{"state":"draft"}', '"constructor":{"prototype":{"x":1}}'])
        expectProblem(await post(`${text.slice(0, -1)},${extra}}`), 400);
      const next = await post(identityBody(freshName('after')));
      expect(jsonOf(next)['state']).toBe('active');
    });

    test.each<[string, Record<string, unknown>]>([
      ['kind', { kind: 'human' }],
      ['environment', { environment: 'moon' }],
      ['name of a wrong type', { name: 7 }],
      ['name empty', { name: '' }],
      ['name of 10,000 letters', { name: 'x'.repeat(10_000) }],
      ['name with a NUL', { name: 'a\u0000b' }],
      ['owner as text', { owner: 'robin' }],
      ['owner with a NUL', { owner: { person: 'a\u0000', backup: 'b', team: 'c' } }],
      ['expires_at as a number', { expires_at: 1 }],
      ['expires_at that is no date', { expires_at: 'tomorrow' }],
      ['expires_at on a day that is not', { expires_at: '2027-02-30T00:00:00Z' }],
      ['expires_at beyond time', { expires_at: '+275760-09-13T00:00:00Z' }],
      ['sensitivity', { sensitivity: 9 }],
      ['state that cannot be chosen', { state: 'decommissioned' }],
    ])('a wrong %s is 400', async (_what, change) => {
      expectProblem(await post(identityBody(freshName('wrong'), change)), 400);
    });

    test('a lone surrogate in a name does not break the server', async () => {
      const text = JSON.stringify(identityBody(freshName('lone'))).replace('"name":"', '"name":"\\ud800');
      const answer = await post(text);
      expect([201, 400]).toContain(answer.status);
      expect((await admin.call('GET', '/identities?limit=100')).status).toBe(200);
    });

    test('names in any script are kept as they are', async () => {
      const name = `${freshName('n')} поставщик 支払い ‏دفع‎ 🏭 <b>&amp;"'`;
      const made = await post(identityBody(name));
      expect(made.status, made.text).toBe(201);
      const got = await admin.call('GET', `/identities/${String(jsonOf(made)['id'])}`);
      expect(jsonOf(got)['name']).toBe(name);
    });
  });

  describe('ids and paths', () => {
    test.each([
      '%00',
      'idn_%00',
      '..',
      '%2e%2e',
      '..%2f..%2fetc%2fpasswd',
      '%F0%9F%98%80',
      '%ff',
      '%zz',
      "'%20OR%20'1'='1",
      'idn_00000000000000000000',
      '__proto__',
      'constructor',
      'a'.repeat(3000),
    ])('GET /identities/%s is a 4xx', async (id) => {
      const answer = await admin.call('GET', `/identities/${id}`);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    });

    test('an unknown path is a 404 problem, an unknown method 405 with Allow', async () => {
      expectProblem(await admin.call('GET', '/no-such-thing'), 404);
      const answer = await admin.call('PUT', '/identities', { body: {} });
      expectProblem(answer, 405);
      expect(answer.headers.allow).toMatch(/POST/);
    });

    test('threat 41: a method in a header or in the query does not override the real one', async () => {
      const made = jsonOf(await post(identityBody(freshName('override'))));
      const path = `/identities/${String(made['id'])}`;
      for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
        await admin.call('GET', path, { headers: [[name, 'DELETE']] });
      await admin.call('GET', `${path}?_method=DELETE`);
      expect((await admin.call('GET', path)).status).toBe(200);
    });
  });

  describe('filters, cursors and limits', () => {
    const sql = [
      "' OR '1'='1",
      "'; DROP TABLE identities; --",
      '%',
      '_',
      '\\',
      '1)) UNION SELECT 1--',
      '\u0000',
      '"',
    ];

    test.each(sql)('filter text %j is data', async (text) => {
      for (const filter of ['identity', 'resource_server', 'scope']) {
        const answer = await admin.call('GET', `/access?${filter}=${encodeURIComponent(text)}`);
        expect([200, 400, 404], `${filter}: ${answer.text.slice(0, 200)}`).toContain(answer.status);
        if (answer.status === 200) expect(jsonOf(answer)['items']).toEqual([]);
        else expectProblem(answer, [400, 404]);
      }
    });

    test.each(['garbage', '', 'e30', '%00', 'bnVsbA', 'W10', "' OR 1=1", 'a'.repeat(5000)])(
      'cursor %s is 400, or the first page where it is empty',
      async (cursor) => {
        const answer = await admin.call('GET', `/identities?cursor=${encodeURIComponent(cursor)}`);
        if (cursor === '') expect([200, 400]).toContain(answer.status);
        else expectProblem(answer, 400);
      },
    );

    test.each(['0', '-1', '1.5', 'abc', '1e3', '999999999999', 'NaN', '0x10'])(
      'limit %s is 400',
      async (limit) => {
        expectProblem(await admin.call('GET', `/identities?limit=${limit}`), 400);
      },
    );

    test('an unknown or doubled filter is 400', async () => {
      expectProblem(await admin.call('GET', '/identities?colour=red'), 400);
      expectProblem(await admin.call('GET', '/identities?limit=1&limit=2'), 400);
    });

    test('as_of that is no instant is 400', async () => {
      expectProblem(await admin.call('GET', '/access?as_of=yesterday'), 400);
    });
  });

  describe('headers', () => {
    test.each(['"', '*', 'W/"1"', '"1", "2"', 'x'.repeat(5000), '\u00e9'])(
      'If-Match %j does no harm',
      async (value) => {
        const made = jsonOf(await post(identityBody(freshName('if-match'))));
        const answer = await admin.call('PATCH', `/identities/${String(made['id'])}`, {
          body: { purpose: 'changed' },
          headers: [['If-Match', value]],
        });
        expect([200, 400, 412], answer.text).toContain(answer.status);
      },
    );

    test('an Idempotency-Key of 5,000 letters is refused or taken, not a failure', async () => {
      const answer = await post(identityBody(freshName('key')), [['Idempotency-Key', 'k'.repeat(5000)]]);
      expect([201, 400], answer.text).toContain(answer.status);
    });

    test('threat 50: another origin gets no permission (CORS)', async () => {
      const answer = await admin.call('GET', '/identities', {
        headers: [['Origin', 'https://evil.example']],
      });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      const preflight = await send(`${target.admin?.api}/identities`, {
        method: 'OPTIONS',
        ca: target.ca,
        headers: [
          ['Origin', 'https://evil.example'],
          ['Access-Control-Request-Method', 'POST'],
        ],
      });
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    });
  });
});
