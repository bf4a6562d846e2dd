import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type EdgeScene,
  openEdge,
  rawConnection,
  type RawAnswer,
  requestText,
} from '../../test/edge-scene.ts';

let scene: EdgeScene;
beforeEach(async () => {
  scene = await openEdge();
});
afterEach(() => scene.close());

/** One request on a connection of its own. */
async function send(text: string | Uint8Array, head = false): Promise<RawAnswer> {
  const connection = rawConnection(scene.port);
  connection.write(text);
  const answer = await connection.next(head);
  connection.socket.destroy();
  return answer;
}
const PROBLEM = 'application/problem+json';

describe('a request', () => {
  it('reaches its endpoint as it was sent, with an id that the answer bears', async () => {
    const answer = await send(
      requestText(
        'PATCH /v1/things/a%2Fb?x=%20&y',
        ['X-Odd: a', 'x-odd: b', 'Content-Type: text/odd'],
        'bytes',
      ),
    );
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { id: 'a/b', body: 'bytes' }]);
    const [request] = scene.seen;
    expect(request).toMatchObject({
      method: 'PATCH',
      path: '/v1/things/a%2Fb',
      query: 'x=%20&y',
      source: '127.0.0.1',
      id: answer.headers['request-id'],
    });
    expect(request?.rawHeaders.slice(2, 6)).toEqual(['X-Odd', 'a', 'x-odd', 'b']);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('reaches the token endpoint in the same way', async () => {
    const answer = await send(requestText('POST /oauth/token?q=1', ['X-Odd: a', 'x-odd: b'], 'grant_type=x'));
    expect(JSON.parse(answer.body)).toEqual({ body: 'grant_type=x', query: 'q=1' });
    expect(scene.seen[0]).toMatchObject({ method: 'POST', path: '/oauth/token', source: '127.0.0.1' });
    expect(scene.seen[0]?.id).toBe(answer.headers['request-id']);
    expect(scene.seen[0]?.rawHeaders.slice(2, 6)).toEqual(['X-Odd', 'a', 'x-odd', 'b']);
    expect(scene.seen[0]?.clientCertificate).toBeUndefined();
  });

  it('has its body whole, in however many pieces it came, with or without a length', async () => {
    const connection = rawConnection(scene.port);
    for (const path of ['/oauth/token', '/v1/things']) {
      connection.write(requestText(`POST ${path}`, ['Transfer-Encoding: chunked']));
      for (const piece of ['a', 'bc', 'def']) {
        connection.write(`${piece.length}\r\n${piece}\r\n`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      connection.write('0\r\n\r\n');
      expect(JSON.parse((await connection.next()).body)).toMatchObject({ body: 'abcdef' });
    }
    connection.socket.destroy();
  });

  it('of many tiny pieces costs no more than one of few', async () => {
    const pieces = '1\r\na\r\n'.repeat(1000);
    const text = `${requestText('POST /oauth/token', ['Transfer-Encoding: chunked'])}${pieces}0\r\n\r\n`;
    const concat = vi.spyOn(Buffer, 'concat');
    expect(JSON.parse((await send(text)).body)).toMatchObject({ body: 'a'.repeat(1000) });
    // Joined once, not once for each piece: that would cost the square of their number.
    expect(concat.mock.calls.length).toBeLessThan(10);
    concat.mockRestore();
  });

  it('may wait for leave to send its body', async () => {
    const connection = rawConnection(scene.port);
    connection.write(
      'POST /oauth/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    expect((await connection.next()).status).toBe(100);
    connection.write('abc');
    expect(JSON.parse((await connection.next()).body)).toMatchObject({ body: 'abc' });
    connection.socket.destroy();
  });

  it('needs no Host where its protocol had none', async () => {
    const answer = await send('GET /healthz HTTP/1.0\r\n\r\n');
    expect([answer.status, answer.headers['request-id']]).toEqual([200, expect.stringMatching(/^req_/)]);
  });

  it('may expect what nobody knows, which is not looked at', async () => {
    const answer = await send(requestText('POST /oauth/token', ['Expect: the-unexpected'], 'abc'));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ body: 'abc' })]);
    expect(answer.headers['request-id']).toMatch(/^req_/);
  });

  it('for the head of an answer gets it without the body', async () => {
    const answer = await send(requestText('HEAD /healthz'), true);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '3']);
    expect(answer.headers['request-id']).toMatch(/^req_/);
  });
});

describe('requests on one connection', () => {
  it('are answered in their order, also when a later one is done first', async () => {
    const connection = rawConnection(scene.port);
    connection.write(
      requestText('POST /oauth/token?slow', [], 'first') +
        requestText('POST /oauth/token', [], 'second') +
        requestText('GET /healthz') +
        requestText('GET /v1/things/4'),
    );
    await expect.poll(() => scene.waiting()).toBe(1);
    await expect.poll(() => scene.seen.length).toBe(3);
    scene.release();
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push((await connection.next()).body);
    expect(answers.map((body) => body.slice(0, 16))).toEqual([
      '{"body":"first",',
      '{"body":"second"',
      'ok\n',
      '{"id":"4","body"',
    ]);
    connection.socket.destroy();
  });

  it('keep it open after an error that leaves it in order', async () => {
    const connection = rawConnection(scene.port);
    for (const [text, status] of [
      [requestText('GET /nowhere'), 404],
      [requestText('GET /oauth/token'), 405],
      [requestText('DELETE /oauth/token', [], 'x'.repeat(500)), 405],
      [requestText('GET /v1/broken'), 500],
      [requestText('POST /oauth/token', [], 'throw'), 500],
      [requestText('POST /oauth/token', [], 'fine'), 200],
    ] as const) {
      connection.write(text);
      expect((await connection.next()).status, text).toBe(status);
    }
    connection.socket.destroy();
  });

  it('do not get the answer to what came after them and was no request', async () => {
    const connection = rawConnection(scene.port);
    connection.write(`${requestText('POST /oauth/token?slow', [], 'first')}BAD\x00REQUEST\r\n\r\n`);
    await expect.poll(() => scene.waiting()).toBe(1);
    const answer = connection.next().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    scene.release();
    const told = await answer;
    if (told !== undefined)
      expect(told).toMatchObject({ status: 200, body: expect.stringContaining('first') });
    connection.socket.destroy();
    expect((await send(requestText('GET /healthz'))).status).toBe(200);
  });
});

describe('what the edge itself refuses', () => {
  it.each<[string, string, number, string, string]>([
    [
      'a path of nobody',
      requestText('GET /nowhere'),
      404,
      'text/plain; charset=utf-8',
      'There is nothing at this path',
    ],
    ['one below the API', requestText('GET /v1/nowhere'), 404, PROBLEM, '"status":404'],
    [
      'one below OAuth',
      requestText('GET /oauth/nowhere'),
      404,
      'application/json',
      '"error":"invalid_request"',
    ],
    ['one that differs by a slash', requestText('GET /healthz/'), 404, 'text/plain; charset=utf-8', ''],
    ['one in capitals', requestText('POST /OAuth/Token', [], 'x'), 404, 'text/plain; charset=utf-8', ''],
    ['bad escapes in a path', requestText('GET /v1/things/%zz'), 400, PROBLEM, '"status":400'],
    ['a bad media type', requestText('POST /v1/things', ['Content-Type: ;;;'], 'x'), 400, PROBLEM, ''],
    ['a parameter longer than any id', requestText(`GET /v1/things/${'a'.repeat(2100)}`), 400, PROBLEM, ''],
    [
      'more headers than any client sends',
      requestText(
        'POST /v1/things',
        Array.from({ length: 120 }, (_, i) => `X-${i}: 1`),
      ),
      400,
      PROBLEM,
      '',
    ],
    ['two Host headers', requestText('GET /healthz', ['Host: b']), 400, 'text/plain; charset=utf-8', ''],
    ['no Host header', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'text/plain; charset=utf-8', ''],
    [
      'no Host header at the token endpoint',
      'POST /oauth/token HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
      400,
      'application/json',
      '"error":"invalid_request"',
    ],
  ])('%s', async (_, text, status, type, body) => {
    const answer = await send(text);
    expect([answer.status, answer.headers['content-type']]).toEqual([status, type]);
    expect(answer.body).toContain(body);
    expect(answer.headers['request-id']).toMatch(/^req_\d+$/);
  });

  it.each([
    ['GET /oauth/token', 'POST'],
    ['HEAD /oauth/token', 'POST'],
    ['OPTIONS /oauth/token', 'POST'],
    ['POST /healthz', 'GET, HEAD'],
    ['PROPFIND /healthz', 'GET, HEAD'],
    ['DELETE /v1/things/1', 'GET, HEAD, PATCH'],
    ['PUT /v1/things', 'POST'],
  ])('the method of %s, with those that are allowed', async (line, allow) => {
    const answer = await send(requestText(line), line.startsWith('HEAD'));
    expect([answer.status, answer.headers['allow']]).toEqual([405, allow]);
  });

  it.each([
    [
      'POST /oauth/token',
      'application/json',
      '{"error":"invalid_request","error_description":"the body is too large"}',
    ],
    ['POST /v1/things', PROBLEM, '"status":413'],
  ])('a body beyond the bound of %s, and ends the connection', async (line, type, body) => {
    expect((await send(requestText(line, [], 'x'.repeat(1000)))).status).toBe(200);
    for (const text of [
      requestText(line, [], 'x'.repeat(1001)),
      `${requestText(line, ['Transfer-Encoding: chunked'])}3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`,
    ]) {
      const connection = rawConnection(scene.port);
      connection.write(text);
      const answer = await connection.next();
      expect([answer.status, answer.headers['content-type'], answer.headers['connection']]).toEqual([
        413,
        type,
        'close',
      ]);
      expect(answer.body).toContain(body);
      await connection.ended;
    }
    expect(scene.seen).toHaveLength(1);
  });

  it.each([
    ['POST /oauth/token', 'Content-Length: 100000000'],
    ['POST /v1/things', 'Content-Length: 100000000'],
    ['POST /oauth/token', 'Transfer-Encoding: chunked'],
    ['POST /v1/things', 'Transfer-Encoding: chunked'],
  ])('a body without end at %s (%s), and is heard while it still comes', async (line, header) => {
    const piece = header.endsWith('chunked') ? `ffff\r\n${'x'.repeat(0xffff)}\r\n` : 'x'.repeat(65_535);
    for (let round = 0; round < 5; round++) {
      const connection = rawConnection(scene.port);
      connection.write(requestText(line, [header]));
      const more = setInterval(() => connection.write(piece.repeat(8)), 1);
      try {
        expect((await connection.next()).status).toBe(413);
        await connection.ended;
      } finally {
        clearInterval(more);
        connection.socket.destroy();
      }
    }
  });

  it('headers beyond the bound', async () => {
    const answer = await send(requestText('GET /healthz', [`X-Long: ${'x'.repeat(5000)}`]));
    expect([answer.status, answer.headers['connection']]).toEqual([431, 'close']);
    expect(answer.headers['request-id']).toMatch(/^req_/);
  });

  it.each([
    'GET\r\n\r\n',
    'HELLO\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01',
    'GET /a b HTTP/1.1\r\n\r\n',
  ])('what is no request: %j', async (text) => {
    const connection = rawConnection(scene.port);
    connection.write(text);
    const answer = await connection.next();
    expect([answer.status, answer.headers['connection']]).toEqual([400, 'close']);
    await connection.ended;
  });

  it.each([
    ['both a length and pieces', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['a length that is no number', ['Content-Length: 5x']],
    ['a transfer coding that is not known', ['Transfer-Encoding: xchunked']],
  ])('a body that could be read in two ways: %s', async (_, headers) => {
    const connection = rawConnection(scene.port);
    connection.write(`${requestText('POST /oauth/token', headers)}0\r\n\r\n`);
    expect((await connection.next()).status).toBe(400);
    await connection.ended;
    expect(scene.seen).toEqual([]);
  });

  it('a bug of ours: nothing of it goes out, the operator is told', async () => {
    const broken = await send(requestText('GET /v1/broken'));
    const fast = await send(requestText('POST /oauth/token', [], 'throw'));
    const atOnce = await send(requestText('POST /oauth/token', [], 'throw at once'));
    expect([broken.status, fast.status, atOnce.status]).toEqual([500, 500, 500]);
    expect(scene.bugs.pop()?.requestId).toBe(atOnce.headers['request-id']);
    const badHeader = await send(requestText('POST /oauth/token', [], 'a bad header'));
    expect(badHeader).toMatchObject({ status: 500, body: expect.not.stringContaining('inside') });
    expect(scene.bugs.pop()?.requestId).toBe(badHeader.headers['request-id']);
    expect(`${broken.body}${fast.body}${atOnce.body}`).not.toContain('inside');
    expect(fast.body).toContain('"error":"server_error"');
    expect(scene.bugs).toMatchObject([
      { error: { message: 'a secret of the inside' }, requestId: broken.headers['request-id'] },
      { error: { message: 'a secret of the inside' }, requestId: fast.headers['request-id'] },
    ]);
  });

  it('and what it refuses is no bug', async () => {
    for (const text of ['GET /nowhere', 'GET /oauth/token', 'GET /v1/things/%zz'])
      await send(requestText(text));
    expect(scene.bugs).toEqual([]);
  });
});

describe('callers that leave', () => {
  it('in the middle of a body, or before their answer, harm nobody', async () => {
    for (const text of [
      'POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhalf',
      'POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhalf',
      requestText('POST /oauth/token?slow', [], 'x'),
      requestText('GET /slow'),
    ]) {
      const connection = rawConnection(scene.port);
      connection.write(text);
      await new Promise((resolve) => setTimeout(resolve, 20));
      connection.socket.resetAndDestroy();
    }
    await expect.poll(() => scene.waiting()).toBe(2);
    await expect.poll(() => scene.seen.at(-1)?.signal?.aborted).toBe(true);
    scene.release();
    expect((await send(requestText('GET /healthz'))).status).toBe(200);
    expect(scene.bugs).toEqual([]);
  });
});
