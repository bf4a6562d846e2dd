// An authority and an API for tests, on loopback, with real signatures; every answer can be bent.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as jose from 'jose';

export interface TokenCall {
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: unknown;
  /** Milliseconds before the answer. */
  readonly delay?: number;
  /** Breaks the connection instead. */
  readonly destroy?: boolean;
}

export interface TinyAuthority {
  readonly issuer: string;
  readonly calls: TokenCall[];
  /** Answers for the next token requests, used up one by one; then tokens are issued. */
  readonly next: Answer[];
  metadata: { [name: string]: unknown };
  metadataAnswers: Answer[];
  lifetime: number;
  tokenType: string;
  readonly publicKey: KeyObject;
  close(): Promise<void>;
}

export async function listen(handler: RequestListener): Promise<{ base: string; close(): Promise<void> }> {
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

export async function startTinyAuthority(clock: () => number): Promise<TinyAuthority> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const respond = async (response: Parameters<RequestListener>[1], answer: Answer): Promise<void> => {
    await new Promise((resolve) => {
      setTimeout(resolve, answer.delay ?? 0);
    });
    if (answer.destroy) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status ?? 200, {
      'content-type': 'application/json',
      date: new Date(clock() * 1000).toUTCString(),
      ...answer.headers,
    });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
  };
  const server = await listen((request, response) => {
    void (async () => {
      if (request.url === '/.well-known/oauth-authorization-server') {
        await respond(response, tiny.metadataAnswers.shift() ?? { body: tiny.metadata });
        return;
      }
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const form = new URLSearchParams(body);
      tiny.calls.push({ headers: request.headers, form });
      await respond(response, tiny.next.shift() ?? { body: await issued(form) });
    })();
  });
  const issued = async (form: URLSearchParams): Promise<object> => ({
    access_token: await new jose.SignJWT({ client_id: 'payments', scope: form.get('scope') ?? 'all' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
      .setIssuer(server.base)
      .setSubject('payments')
      .setAudience(form.get('resource') ?? 'urn:default')
      .setIssuedAt(clock())
      .setExpirationTime(clock() + tiny.lifetime)
      .setJti(String(tiny.calls.length))
      .sign(privateKey),
    token_type: tiny.tokenType,
    expires_in: tiny.lifetime,
    scope: form.get('scope') ?? 'all',
  });
  const tiny: TinyAuthority = {
    issuer: server.base,
    calls: [],
    next: [],
    metadata: { issuer: server.base, token_endpoint: `${server.base}/oauth/token` },
    metadataAnswers: [],
    lifetime: 600,
    tokenType: 'bearer',
    publicKey,
    close: server.close,
  };
  return tiny;
}
