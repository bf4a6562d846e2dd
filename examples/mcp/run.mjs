#!/usr/bin/env node
// An agent calls the tools of an MCP server with an identity of its own: it reads, it may not close, and it is cut off.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { CASES, documents } from './documents.mjs';

await tell(documents(), async (scene) => {
  const endpoint = await step('the MCP server is up', 'node cases-server.mjs &', () =>
    scene.serve('mcp/cases-server.mjs'),
  );
  await step('who comes without a token is told where to get one: 401', `curl -i ${endpoint}`, async () => {
    const { status, headers } = await fetch(endpoint, { method: 'POST' });
    const challenge = headers.get('www-authenticate') ?? '';
    expect('401 with resource_metadata', status === 401 && /resource_metadata=/.test(challenge), challenge);
  });

  const agent = scene.clientOf('triage-agent');
  const carrying = (url, init) => agent.fetch(url, init, { resource: CASES });
  const mcp = new Client({ name: 'triage-agent', version: '1.0.0' });
  await step('the agent connects and lists the open cases', "mcp.callTool('list')", async () => {
    await mcp.connect(new StreamableHTTPClientTransport(new URL(endpoint), { fetch: carrying }));
    const { content } = await mcp.callTool({ name: 'list' });
    expect('its own name', content[0]?.text === '42 and 43, for triage-agent', JSON.stringify(content));
  });
  await step('it may not close one', "mcp.callTool('close')", async () => {
    const { isError, content } = await mcp.callTool({ name: 'close' });
    expect('insufficient_scope', isError === true, JSON.stringify(content));
  });

  const order = [
    'cutoffs',
    'create',
    '--kind',
    'identity',
    '--id',
    'triage-agent',
    '--reason',
    'runs wild',
    '--yes',
  ];
  await step('the agent is cut off', `npx countersign ${order.join(' ')}`, async () => {
    const { code, out, err } = await scene.countersign(...order);
    expect('a cut-off', code === 0, err || out);
  });
  await step('and its next call fails within 2 s', "mcp.callTool('list')", async () => {
    const started = performance.now();
    let failed = false;
    while (!failed && performance.now() - started < 2000) {
      failed = await mcp.callTool({ name: 'list' }).then(
        () => false,
        () => true,
      );
    }
    expect('a refusal', failed, 'an answer');
  });
  await mcp.close().catch(() => undefined);
  await agent.close();
});
