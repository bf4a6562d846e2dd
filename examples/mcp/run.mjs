#!/usr/bin/env node
// Agents call the tools of an MCP server with identities of their own: they read, they may not close, and one is cut off.
import { generateKeyPairSync } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { freePort } from '../stage/free-port.mjs';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { documents } from './documents.mjs';
import { providerOf } from './own-provider.mjs';

const CASES = `http://127.0.0.1:${await freePort()}/mcp`;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

await tell(documents(CASES, publicKey.export({ format: 'jwk' })), async (scene) => {
  const endpoint = await step('the MCP server is up', `node cases-server.mjs ${CASES} &`, () =>
    scene.serve('mcp/cases-server.mjs', CASES),
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
  await step('another agent, with a key and the MCP SDK’s own provider', "mcp.callTool('list')", async () => {
    const authProvider = await providerOf('audit-agent', privateKey, scene.authority);
    const other = new Client({ name: 'audit-agent', version: '1.0.0' });
    const { fetch } = scene.authority;
    await other.connect(new StreamableHTTPClientTransport(new URL(endpoint), { authProvider, fetch }));
    const { content } = await other.callTool({ name: 'list' });
    expect('its own name', content[0]?.text === '42 and 43, for audit-agent', JSON.stringify(content));
    await other.close();
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
  await step('the agent is cut off', `npx --no -- countersign ${order.join(' ')}`, async () => {
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
