// An MCP server guarded as its specification wants it, found by the MCP SDK's own client, which is told nothing but the
// server's address and its own name.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen, serve } from '../../test/frameworks/over-http.ts';
import { startTinyIssuer, type TinyIssuer } from '../../test/tiny-issuer.ts';
import { createVerifier } from '../create-verifier.ts';
import type { Verifier } from '../verifier.ts';
import { type McpGuard, mcpGuard, type McpRequest } from './mcp.ts';

const clock = (): number => Math.floor(Date.now() / 1000);
let tiny: TinyIssuer;
let server: Server;
let verifier: Verifier;
let guard: McpGuard;
let endpoint: string;
const closers: (() => unknown)[] = [];
const caller = (jti: string): { authorization: string } => ({
  authorization: `Bearer ${tiny.token({ aud: endpoint, jti })}`,
});
/** What the authority was asked for. */
const asked: URLSearchParams[] = [];

beforeAll(async () => {
  tiny = await startTinyIssuer(clock);
  // RFC 8414 §2 asks for an authorization_endpoint only where a grant uses one; this client always does.
  const unused = { response_types_supported: [], authorization_endpoint: `${tiny.issuer}/none` };
  tiny.metadata = { ...tiny.metadata, ...unused };
  tiny.intercept = (request, response) => request.url === '/oauth/token' && grant(request, response);
  server = createServer((request: McpRequest & IncomingMessage, response) => {
    void guard.middleware(request, response, () => void answer(request, response));
  });
  endpoint = `${await listen(server)}/mcp`;
  verifier = createVerifier({
    issuer: tiny.issuer,
    audience: endpoint,
    metadata: { scopes: ['fraud:read'] },
  });
  guard = mcpGuard(verifier, 'fraud:read');
  await verifier.ready();
});
afterAll(async () => {
  for (const close of closers) await close();
  server.closeAllConnections();
  server.close();
  await verifier.close();
  await tiny.close();
});

function grant(request: IncomingMessage, response: ServerResponse): true {
  let text = '';
  request.on('data', (chunk) => {
    text += String(chunk);
  });
  request.on('end', () => {
    const form = new URLSearchParams(text);
    asked.push(form);
    const scope = form.get('scope') ?? '';
    const body = {
      access_token: tiny.token({ aud: form.get('resource'), scope }),
      token_type: 'Bearer',
      scope,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  return true;
}

async function answer(request: McpRequest & IncomingMessage, response: ServerResponse): Promise<void> {
  const mcp = new McpServer({ name: 'fraud', version: '1.0.0' });
  mcp.registerTool('whoami', { description: 'who calls' }, (context) => {
    const auth = context.http?.authInfo;
    return { content: [{ type: 'text', text: `${auth?.clientId} ${auth?.scopes.join(' ')}` }] };
  });
  const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await mcp.connect(transport as never);
  await transport.handleRequest(request as never, response);
}

it('a client that knows only the address finds the authority, the resource and the scope, and its tools know it', async () => {
  const authProvider = new ClientCredentialsProvider({
    clientId: 'payments',
    clientSecret: 'secret',
    expectedIssuer: tiny.issuer,
  });
  const client = new Client({ name: 'payments', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { authProvider }));
  const { content } = await client.callTool({ name: 'whoami' });
  expect(content).toEqual([{ type: 'text', text: 'payments fraud:read' }]);
  expect(asked.map((form) => [form.get('resource'), form.get('scope')])).toEqual([[endpoint, 'fraud:read']]);
  await client.close();
});

it('a token for another MCP server is refused', async () => {
  const token = tiny.token({ aud: endpoint.replace('/mcp', '/other') });
  const answered = await fetch(endpoint, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  expect(answered.status).toBe(401);
  expect(answered.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(answered.headers.get('www-authenticate')).toContain(
    `resource_metadata="${endpoint.replace('/mcp', '/.well-known/oauth-protected-resource/mcp')}"`,
  );
});

describe.each([
  [
    'middleware',
    async (stream: () => ReadableStream<Uint8Array>): Promise<Response> => {
      const { base, close } = await serve((request, response) => {
        void guard.middleware(request, response, () => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          void stream()
            .pipeTo(Writable.toWeb(response))
            .catch(() => undefined);
        });
      });
      closers.push(close);
      return await fetch(base, { headers: caller('middleware') });
    },
  ],
  [
    'fetch',
    async (stream: () => ReadableStream<Uint8Array>): Promise<Response> =>
      await guard.fetch(() => new Response(stream()))(new Request(endpoint, { headers: caller('fetch') })),
  ],
])('with %s', (way, open) => {
  it('the events of a server end with the token that they were asked for with', async () => {
    const hello = new TextEncoder().encode('data: hello\n\n');
    const response = await open(() => new ReadableStream({ start: (to) => to.enqueue(hello) }));
    expect(response.status).toBe(200);
    setTimeout(() => tiny.cut({ kind: 'token', id: way, not_before: clock() + 1 }), 50);
    expect(await response.text()).toBe('data: hello\n\n');
  });
});

it('without metadata there is no guard: clients could not find the authority', () => {
  const bare = createVerifier({ issuer: tiny.issuer, audience: endpoint });
  expect(() => mcpGuard(bare, 'fraud:read')).toThrow(TypeError);
});
