#!/usr/bin/env node
// The press: a server of node-opcua that takes tokens. It prints its address.
// node press.mjs FOLDER NODE-OPCUA
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptTokens } from '@countersign/opcua';
import { createVerifier } from '@countersign/resource-server';
import { findAuthority } from '../stage/find-authority.mjs';
import { applicationOf } from './application.mjs';
import { NAMES, PRESS } from './documents.mjs';
import { loadNodeOpcua } from './node-opcua.mjs';

const [, , folder = '.', module = 'node-opcua'] = process.argv;
const authority = findAuthority();
const opcua = await loadNodeOpcua(module);
const { certificateFile, privateKeyFile, certificateManager } = await applicationOf(
  opcua,
  folder,
  'press-7',
  authority.fetch,
);
const server = new opcua.OPCUAServer({
  port: Number(process.env['PORT'] ?? 0),
  hostname: '127.0.0.1',
  // The name in its certificate, by which clients know that it is the press that they mean.
  serverInfo: { applicationUri: NAMES['press-7'] },
  serverCertificateManager: certificateManager,
  userCertificateManager: certificateManager,
  certificateFile,
  privateKeyFile,
  securityModes: [opcua.MessageSecurityMode.SignAndEncrypt],
  securityPolicies: [opcua.SecurityPolicy.Basic256Sha256],
});
const verifier = createVerifier({ ...authority, audience: PRESS });
await acceptTokens(opcua, server, {
  verifier,
  issuer: authority.issuer,
  resource: PRESS,
  onEvent: ({ type, clientId, reason }) => console.error(type, clientId ?? '', reason ?? ''),
});

const { addressSpace } = server.engine;
const namespace = addressSpace.getOwnNamespace();
const press = namespace.addObject({ organizedBy: addressSpace.rootFolder.objects, browseName: 'Press' });
for (const [browseName, value] of [
  ['Temperature', 180],
  ['Speed', 30],
]) {
  namespace.addVariable({
    componentOf: press,
    browseName,
    nodeId: `s=${browseName}`,
    dataType: 'Double',
    value: { dataType: opcua.DataType.Double, value },
  });
}

await server.start();
// Loading an address space takes seconds in which nothing else is heard: the cut-offs first, then the world.
await verifier.ready();
while (verifier.feeds().some(({ stale }) => stale)) await sleep(20);
console.log(server.getEndpointUrl());
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.shutdown(0);
    await verifier.close();
    process.exit(0);
  });
}
