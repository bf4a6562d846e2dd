// An MCP server over HTTP. Every request needs a token for it; a tool that needs more than reading asks what the token holds.
import { createServer } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { createVerifier } from '@countersign/resource-server';
import { mcpGuard } from '@countersign/resource-server/mcp';
import { findAuthority } from '../stage/find-authority.mjs';
import { SCOPES } from './documents.mjs';

/** Where it is reached, and the audience of its tokens. node cases-server.mjs http://127.0.0.1:PORT/mcp */
const CASES = process.argv[2] ?? 'http://127.0.0.1:8080/mcp';

const verifier = createVerifier({
  ...findAuthority(),
  audience: CASES,
  metadata: { scopes: SCOPES },
});
await verifier.ready();
const guard = mcpGuard(verifier, 'cases:read');

const says = (text, isError = false) => ({ content: [{ type: 'text', text }], isError });

function cases() {
  const server = new McpServer({ name: 'cases', version: '1.0.0' });
  server.registerTool('list', { description: 'open cases' }, (context) =>
    says(`42 and 43, for ${context.http?.authInfo?.clientId}`),
  );
  server.registerTool('close', { description: 'closes case 42' }, (context) =>
    context.http?.authInfo?.scopes.includes('cases:close')
      ? says('closed')
      : says('insufficient_scope: cases:close', true),
  );
  return server;
}

const server = createServer((request, response) => {
  void guard.middleware(request, response, async (error) => {
    if (error !== undefined) return response.writeHead(500).end();
    const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await cases().connect(transport);
    return await transport.handleRequest(request, response);
  });
});
server.listen(Number(new URL(CASES).port), '127.0.0.1', () => console.log(CASES));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await verifier.close();
    process.exit(0);
  });
}
