/**
 * A guard of `device-cutoff.mjs` in a process of its own: `node device-cutoff-guards.mjs http|coap|opcua`, with its settings in
 * the environment as GUARD_SETTINGS='{"issuer":…}'. It prints one line of JSON when it can be asked. The guard of MQTT is a command and
 * needs none.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient } from '@countersign/client';
import { createCoapGuard } from '@countersign/coap';
import { acceptTokens } from '@countersign/opcua';
import { createVerifier } from '@countersign/resource-server';
import { requireScope, watchScope } from '@countersign/resource-server/node-http';

const HOST = '127.0.0.1';

const GUARDS = {
  /** `/reading` answers at once, `/readings` goes on. */
  async http({ issuer, audience }) {
    const verifier = createVerifier({ issuer, audience });
    await verifier.ready();
    const guard = requireScope(verifier, 'read');
    const stream = watchScope(verifier, 'read');
    const server = createServer(async (request, response) => {
      const verified = await (request.url === '/readings' ? stream : guard)(request, response);
      if (verified === undefined) return;
      if (request.url === '/readings') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 21\n\n');
      } else response.end('21');
    }).listen(0, HOST);
    await once(server, 'listening');
    return { port: server.address().port };
  },

  async coap({ issuer, audience, own, upstream }) {
    const guard = createCoapGuard({
      issuer,
      audience,
      keys: createClient({ issuer, clientId: own.client_id, clientSecret: own.client_secret }),
      permissions: { read: [['/example_data', ['GET']]] },
      upstream: { host: HOST, port: upstream },
      dtls: { host: HOST, port: 0 },
      plain: { host: HOST, port: 0 },
    });
    return await guard.listen();
  },

  async opcua({ issuer, audience, module, pki }) {
    const opcua = await import(pathToFileURL(module).href);
    const verifier = createVerifier({ issuer, audience });
    const manager = new opcua.OPCUACertificateManager({
      automaticallyAcceptUnknownCertificate: false,
      rootFolder: pki,
    });
    await manager.initialize();
    const server = new opcua.OPCUAServer({
      port: 0,
      hostname: HOST,
      serverInfo: { applicationUri: audience },
      serverCertificateManager: manager,
      userCertificateManager: manager,
      certificateFile: `${pki}/own/certs/certificate.pem`,
      privateKeyFile: manager.privateKey,
      securityModes: [opcua.MessageSecurityMode.SignAndEncrypt],
      securityPolicies: [opcua.SecurityPolicy.Basic256Sha256],
    });
    await acceptTokens(opcua, server, { verifier, issuer });
    const { addressSpace } = server.engine;
    const temperature = addressSpace.getOwnNamespace().addVariable({
      organizedBy: addressSpace.rootFolder.objects,
      browseName: 'Temperature',
      dataType: 'Double',
      value: { dataType: opcua.DataType.Double, value: 21 },
    });
    await server.start();
    await verifier.ready();
    // Loading an address space leaves time for nothing else, and the feed grows stale meanwhile.
    while (verifier.feeds().some(({ stale }) => stale)) await sleep(20);
    return { url: server.getEndpointUrl(), node: temperature.nodeId.toString() };
  },
};

const [, , kind] = process.argv;
console.log(JSON.stringify(await GUARDS[kind](JSON.parse(process.env['GUARD_SETTINGS'] ?? '{}'))));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
