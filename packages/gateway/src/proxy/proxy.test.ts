import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  closing,
  head,
  listen,
  type Seen,
  speak,
  startApplication,
  startProxy,
  statusOf,
  valuesOf,
} from '../../test/proxy-scene.ts';

describe('a request that goes on', () => {
  it('has its own method, path and content, and says which way it came', async () => {
    const { port, seen } = await startApplication();
    const text = await speak(await startProxy(port), [
      head(
        'PUT /open/%61?b=%2F HTTP/1.1',
        'Content-Length: 3',
        'X-A: 1',
        'X-A: 2',
        'Via: 1.0 fred',
        'Connection: close',
      ),
      'abc',
    ]);
    expect(statusOf(text)).toBe(200);
    expect(bodyOf(text)).toBe('ok');
    const [got] = seen as [Seen];
    expect([got.request, got.body]).toEqual(['PUT /open/%61?b=%2F', 'abc']);
    expect(valuesOf(got, 'x-a')).toEqual(['1', '2']);
    expect(valuesOf(got, 'via')).toEqual(['1.0 fred, 1.1 countersign']);
    expect(valuesOf(got, 'host')).toEqual(['a.example']);
    expect(valuesOf(got, 'content-length')).toEqual(['3']);
  });

  it('leaves behind what belongs to its connection, what it may not say, and its proof', async () => {
    const { port, seen } = await startApplication();
    const left = [
      'Connection: close, X-Mine',
      'X-Mine: x',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: x',
      'TE: trailers',
      'Proxy-Authorization: x',
      'Upgrade: h2c',
      'Countersign-Client-Id: x',
      'countersign_scope: x',
      'Countersign.Client.Id: x',
      'X~Forwarded~For: x',
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Host: evil.example',
      'X_Forwarded_Proto: https',
      'Forwarded: for=1.2.3.4',
      'X-Real-IP: 1.2.3.4',
      'X-Original-URI: /x',
      'Transfer_Encoding: chunked',
      'Content_Length: 5',
      'Keep_Alive: timeout=5',
      'Proxy: http://evil.example',
      'Client-Cert: :AA==:',
      'Client_Cert_Chain: :AA==:',
      'X-SSL-Client-Cert: x',
      'SSL-Client-Verify: SUCCESS',
      'X_API_Key: x',
      'Authorization: Bearer x',
      'DPoP: x',
      'X-API-Key: x',
    ];
    const text = await speak(await startProxy(port), [head('GET /open HTTP/1.1', 'X-Kept: 1', ...left)]);
    expect(statusOf(text)).toBe(200);
    const [got] = seen as [Seen];
    const names = got.headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).toEqual(
      [
        'connection',
        'host',
        'via',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-kept',
      ].sort(),
    );
    expect(valuesOf(got, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(got, 'x-forwarded-host')).toEqual(['a.example']);
    expect(valuesOf(got, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(got, 'connection')).toEqual(['keep-alive']);
  });

  it('in chunks goes on in chunks, without trailers', async () => {
    const { port, seen } = await startApplication();
    const chunks = '3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nCountersign-Client-Id: x\r\n\r\n';
    await speak(
      await startProxy(port),
      [head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked', 'Connection: close', 'Trailer: X'), chunks],
      (text) => text.endsWith('ok'),
    );
    const [got] = seen as [Seen];
    expect(got.body).toBe('abcde');
    expect(got.headers.join()).not.toContain('Trailer');
    expect(valuesOf(got, 'transfer-encoding')).toEqual(['chunked']);
  });

  it('without content says so, where its method means content', async () => {
    const { port, seen } = await startApplication();
    const proxy = await startProxy(port);
    for (const method of ['POST', 'GET', 'DELETE']) {
      await speak(proxy, [head(`${method} /open HTTP/1.1`, 'Connection: close')]);
    }
    expect(seen.map((each) => valuesOf(each, 'content-length'))).toEqual([['0'], [], []]);
    expect(seen.map((each) => valuesOf(each, 'transfer-encoding'))).toEqual([[], [], []]);
  });

  it('sends its content once it was let in, if it asked', async () => {
    const { port, seen } = await startApplication();
    const proxy = await startProxy(port);
    const expecting = ['Content-Length: 3', 'Expect: 100-continue', 'Connection: close'];
    const text = await speak(proxy, [head('POST /open HTTP/1.1', ...expecting), 'abc'], undefined, 100);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
    expect(seen[0]?.body).toBe('abc');
    const refused = await speak(proxy, [head('POST /closed HTTP/1.1', ...expecting)]);
    expect(statusOf(refused)).toBe(403);
    const odd = await speak(proxy, [head('GET /open HTTP/1.1', 'Expect: a-miracle')]);
    expect(statusOf(odd)).toBe(417);
  });

  it('is answered with what the upstream answers, but for what belongs to that connection', async () => {
    const { port } = await startApplication((_request, response) => {
      response.writeHead(418, 'Odd', [
        'Set-Cookie',
        'a',
        'Set-Cookie',
        'b',
        'Connection',
        'x-hop',
        'X-Hop',
        '1',
        'X-End',
        '2',
      ]);
      response.end('short');
    });
    const text = await speak(await startProxy(port), [head('GET /open HTTP/1.1', 'Connection: close')]);
    expect(text).toMatch(/^HTTP\/1\.1 418 Odd\r\n/);
    expect(text).toContain('Set-Cookie: a\r\nSet-Cookie: b\r\n');
    expect(text).toContain('X-End: 2\r\n');
    expect(text).not.toContain('X-Hop');
  });
});

describe('what two servers could frame differently', () => {
  const smuggled = 'GET /open/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
  it.each<[string, string]>([
    [
      'length and chunks',
      head('POST /open HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked') + `0\r\n\r\n${smuggled}`,
    ],
    [
      'chunks and length',
      head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 4') + `0\r\n\r\n${smuggled}`,
    ],
    ['two lengths', head('POST /open HTTP/1.1', 'Content-Length: 0', 'Content-Length: 50') + smuggled],
    [
      'two equal lengths',
      head('POST /open HTTP/1.1', 'Content-Length: 2', 'Content-Length: 2') + `ab${smuggled}`,
    ],
    ['a list of lengths', head('POST /open HTTP/1.1', 'Content-Length: 2, 2') + `ab${smuggled}`],
    ['a length with a sign', head('POST /open HTTP/1.1', 'Content-Length: +2') + `ab${smuggled}`],
    ['a length in hexadecimal', head('POST /open HTTP/1.1', 'Content-Length: 0x2') + `ab${smuggled}`],
    ['an empty length', head('POST /open HTTP/1.1', 'Content-Length:') + smuggled],
    ['another coding', head('POST /open HTTP/1.1', 'Transfer-Encoding: gzip') + smuggled],
    ['two codings', head('POST /open HTTP/1.1', 'Transfer-Encoding: gzip, chunked') + `0\r\n\r\n${smuggled}`],
    [
      'chunked and more',
      head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked, identity') + `0\r\n\r\n${smuggled}`,
    ],
    [
      'chunked twice',
      head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') +
        `0\r\n\r\n${smuggled}`,
    ],
    ['x-chunked', head('POST /open HTTP/1.1', 'Transfer-Encoding: xchunked') + `0\r\n\r\n${smuggled}`],
    [
      'a coding with a control character',
      head('POST /open HTTP/1.1', 'Transfer-Encoding: \x0bchunked') + `0\r\n\r\n${smuggled}`,
    ],
    [
      'a space before the colon',
      head('POST /open HTTP/1.1', 'Transfer-Encoding : chunked') + `0\r\n\r\n${smuggled}`,
    ],
    [
      'a folded line',
      head('POST /open HTTP/1.1', 'X: y\r\n Transfer-Encoding: chunked') + `0\r\n\r\n${smuggled}`,
    ],
    ['bare line feeds', 'POST /open HTTP/1.1\nHost: a.example\nContent-Length: 2\n\nab'],
    ['a bare carriage return', head('GET /open HTTP/1.1', 'X: y\rContent-Length: 50')],
    [
      'chunks in HTTP/1.0',
      head('POST /open HTTP/1.0', 'Transfer-Encoding: chunked') + `0\r\n\r\n${smuggled}`,
    ],
    [
      'a chunk size that is none',
      head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked') + `zz\r\n${smuggled}`,
    ],
    [
      'a chunk size that overflows',
      head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked') + `fffffffffffffffff\r\n${smuggled}`,
    ],
    ['NUL in a value', head('GET /open HTTP/1.1', 'X: a\0b')],
    ['a space in the target', head('GET /open /b HTTP/1.1')],
    ['no host', 'GET /open HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['two hosts', head('GET /open HTTP/1.1', 'Host: b.example', 'Connection: close')],
    ['an absolute target', head('GET http://a.example/open HTTP/1.1', 'Connection: close')],
    ['a tunnel', head('CONNECT a.example:443 HTTP/1.1')],
    ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('is refused and reaches nobody: %s', async (_, bytes) => {
    const { port, seen } = await startApplication();
    const text = await speak(await startProxy(port), [bytes], (said) => statusOf(said) >= 400);
    expect(text === '' ? 400 : statusOf(text), text).toSatisfy(
      (status: number) => status === 400 || status === 405,
    );
    await sleep(50);
    expect(seen.filter(({ request }) => request.includes('smuggled'))).toEqual([]);
    expect(seen.length).toBeLessThanOrEqual(_.startsWith('a chunk') ? 1 : 0);
  });

  it('two requests on one connection stay two', async () => {
    const { port, seen } = await startApplication();
    const both =
      head('POST /open/1 HTTP/1.1', 'Content-Length: 2') +
      `ab${head('GET /open/2 HTTP/1.1', 'Connection: close')}`;
    await speak(await startProxy(port), [both]);
    expect(seen.map(({ request, body }) => `${request} ${body}`)).toEqual([
      'POST /open/1 ab',
      'GET /open/2 ',
    ]);
  });
});

describe('a limit', () => {
  it('on content holds, announced or not', async () => {
    const { port, seen } = await startApplication();
    const proxy = await startProxy(port, 'bodyBytes: 10');
    const announced = await speak(proxy, [head('POST /open HTTP/1.1', 'Content-Length: 11'), 'x'.repeat(11)]);
    expect(statusOf(announced)).toBe(413);
    const chunk = `8\r\n${'x'.repeat(8)}\r\n`;
    const chunked = head('POST /open HTTP/1.1', 'Transfer-Encoding: chunked');
    expect(statusOf(await speak(proxy, [chunked, chunk, chunk, '0\r\n\r\n'], undefined, 20))).toBe(413);
    expect(seen).toEqual([]);
    const fits = await speak(proxy, [
      head('POST /open HTTP/1.1', 'Content-Length: 10', 'Connection: close'),
      'x'.repeat(10),
    ]);
    expect(statusOf(fits)).toBe(200);
  });

  it('on headers holds, ours and the parser’s', async () => {
    const { port, seen } = await startApplication();
    const proxy = await startProxy(port);
    for (const lines of [
      [`X: ${'x'.repeat(17_000)}`],
      [`X: ${'x'.repeat(70_000)}`],
      Array.from({ length: 101 }, (_, i) => `X${i}: x`),
    ]) {
      expect(statusOf(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close', ...lines)]))).toBe(
        431,
      );
    }
    expect(seen).toEqual([]);
  });

  it('on requests under way holds', async () => {
    const { port } = await startApplication(
      (_request, response) => void setTimeout(() => response.end('ok'), 300),
    );
    const proxy = await startProxy(port, 'inFlight: 2');
    const ask = () => speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')]);
    const texts = await Promise.all([ask(), ask(), ask(), ask()]);
    expect(texts.map(statusOf).sort((a, b) => a - b)).toEqual([200, 200, 503, 503]);
    expect(texts.find((text) => statusOf(text) === 503)).toContain('Retry-After: 5\r\n');
    expect(statusOf(await ask())).toBe(200);
  });

  it('on the time for headers holds', async () => {
    const { port } = await startApplication();
    const proxy = await startProxy(port, 'headersTimeout: 1');
    const started = Date.now();
    expect(statusOf(await speak(proxy, ['GET /open HTTP/1.1\r\nHost: a']))).toBe(408);
    expect(Date.now() - started).toBeLessThan(3500);
  });

  it('on the time for a whole request holds', async () => {
    const { port, seen } = await startApplication();
    const proxy = await startProxy(port, 'headersTimeout: 1, requestTimeout: 1');
    const started = Date.now();
    const drops = Array.from({ length: 50 }, () => 'x');
    await speak(proxy, [head('POST /open HTTP/1.1', 'Content-Length: 100'), ...drops], undefined, 100);
    expect(Date.now() - started).toBeLessThan(4000);
    expect(seen).toEqual([]);
  });

  it('on connections holds', async () => {
    const { port } = await startApplication();
    const proxy = await startProxy(port, 'connections: 2');
    const idle = [1, 2].map(() => connect(proxy, '127.0.0.1'));
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    expect(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')])).toBe('');
    for (const socket of idle) socket.destroy();
    await sleep(100);
    expect(statusOf(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')]))).toBe(200);
  });

  it('on requests in flight of one connection holds', async () => {
    const { port } = await startApplication(
      (_request, response) => void setTimeout(() => response.end('ok'), 300),
    );
    const text = await speak(await startProxy(port), [head('GET /open HTTP/1.1').repeat(40)]);
    expect(text).toBe('');
  });

  it('on memory holds: content waits at its sender until the upstream takes it', async () => {
    const { port } = await startApplication(() => undefined);
    const proxy = await startProxy(port, 'bodyBytes: 1000000000, upstreamTimeout: 2');
    const chunk = Buffer.alloc(65_536, 'x');
    let sent = 0;
    const socket = connect(proxy, '127.0.0.1', () => {
      socket.write(head('POST /open HTTP/1.1', 'Content-Length: 900000000'));
      const more = (): void => {
        while (socket.writable && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', more);
      more();
    });
    socket.on('error', () => undefined);
    await sleep(1000);
    socket.destroy();
    // What the sockets of the system hold, and some.
    expect(sent).toBeLessThan(50_000_000);
  });

  it('on an upstream’s silence holds', async () => {
    const { port } = await startApplication(() => undefined);
    const started = Date.now();
    expect(
      statusOf(
        await speak(await startProxy(port, 'upstreamTimeout: 1'), [
          head('GET /open HTTP/1.1', 'Connection: close'),
        ]),
      ),
    ).toBe(504);
    expect(Date.now() - started).toBeLessThan(2500);
  });
});

describe('an upstream', () => {
  const answering = async (answer: (socket: Socket) => void): Promise<number> => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    });
    const port = await listen(server);
    closing.push(() => sockets.forEach((socket) => socket.destroy()));
    return port;
  };
  const ask = async (port: number) =>
    speak(await startProxy(port), [head('GET /open HTTP/1.1', 'Connection: close')]);

  it('that is not there is 502', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(statusOf(await ask(port))).toBe(502);
  });

  it.each([
    ['hangs up', ''],
    ['speaks no HTTP', 'hello\r\n\r\n'],
    [
      'frames its answer twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'changes the protocol unasked',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
    ],
    [
      'changes it without a name',
      'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
    ['has too large headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`],
  ])('that %s is 502', async (_, bytes) => {
    expect(statusOf(await ask(await answering((socket) => socket.end(bytes))))).toBe(502);
  });

  it('that gives a length to what has no content gives it to nobody', async () => {
    const port = await answering((socket) =>
      socket.end('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello'),
    );
    const text = await ask(port);
    expect(text).toMatch(/^HTTP\/1\.1 204 No Content\r\nX-A: b\r\n/);
    expect(text).not.toMatch(/content-length|hello/i);
  });

  it('that breaks off leaves no answer that looks whole', async () => {
    const port = await answering((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'),
    );
    const text = await ask(port);
    expect(text).toContain('ab');
    expect(text).not.toContain('\r\n0\r\n');
  });

  it('that answers before it has heard everything, and hangs up, is heard', async () => {
    const { port } = await startApplication((request, response) => {
      response.writeHead(422, { Connection: 'close', 'Content-Length': 4 });
      response.end('full');
      response.once('finish', () => setTimeout(() => request.socket.destroy(), 20));
    });
    const started = Date.now();
    const pieces = Array.from({ length: 40 }, () => 'x'.repeat(50_000));
    const text = await speak(
      await startProxy(port),
      [head('POST /open HTTP/1.1', 'Content-Length: 3000000'), ...pieces],
      undefined,
      5,
    );
    expect(Date.now() - started).toBeLessThan(4500);
    expect(statusOf(text)).toBe(422);
    expect(text).toMatch(/full$/);
  });

  it('that closed an idle connection is asked again, once, for what may be repeated', async () => {
    let answered = 0;
    const { port } = await startApplication((request, response) => {
      answered++;
      response.end('ok');
      if (answered === 1) setTimeout(() => request.socket.resetAndDestroy(), 30);
    });
    const proxy = await startProxy(port);
    const twice = [head('GET /open HTTP/1.1'), head('GET /open HTTP/1.1', 'Connection: close')];
    const text = await speak(proxy, twice, undefined, 100);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it('is let go when the caller goes', async () => {
    let gone = false;
    const { port } = await startApplication((_request, response) => {
      response.once('close', () => (gone = true));
    });
    const proxy = await startProxy(port);
    const socket = connect(proxy, '127.0.0.1', () => socket.write(head('GET /open HTTP/1.1')));
    await sleep(200);
    socket.destroy();
    await sleep(200);
    expect(gone).toBe(true);
  });
});

describe('requests behind one another on a connection', () => {
  const get = head('GET /open HTTP/1.1');

  it('and an upgrade behind one that is not answered yet end the connection and nothing else', async () => {
    const { port } = await startApplication();
    const proxy = await startProxy(port);
    const upgrade = head('GET /open HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket');
    await speak(proxy, [`${get}${upgrade}`]);
    await speak(proxy, [`${get}CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n`]);
    expect(statusOf(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')]))).toBe(200);
  });

  it('count no longer once their connection has gone, also those whose answers wait for others', async () => {
    const { port } = await startApplication();
    const proxy = await startProxy(port, 'inFlight: 20');
    for (let turn = 0; turn < 3; turn++) await speak(proxy, [get.repeat(17)]);
    expect(statusOf(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')]))).toBe(200);
  });
});
