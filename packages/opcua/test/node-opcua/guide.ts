// The guide's examples, held against node-opcua's own types. Compiled by types.test.ts; never run.
import { createClient } from '@countersign/client';
import { acceptTokens, connectOpcUa, type TokenGuard } from '@countersign/opcua';
import { createVerifier } from '@countersign/resource-server';
import * as opcua from 'node-opcua';

const issuer = 'https://auth.example';

export async function server(): Promise<TokenGuard> {
  const press = new opcua.OPCUAServer({
    port: 4840,
    serverInfo: { applicationUri: 'urn:plant.example:press-7' },
  });
  const verifier = createVerifier({ issuer, audience: 'urn:plant.example:press-7' });
  return await acceptTokens(opcua, press, {
    verifier,
    issuer,
    rights: { 'press.operate': { role: 'ns=1;s=PressOperator', permissions: ['Browse', 'Call'] } },
    anonymous: ['Browse'],
  });
}

export async function client(clientSecret: string): Promise<opcua.DataValue> {
  const connection = await connectOpcUa(opcua, {
    opcUaClient: opcua.OPCUAClient.create({ endpointMustExist: false }),
    endpointUrl: 'opc.tcp://press-7.plant.example:4840',
    client: createClient({ issuer, clientId: 'panel', clientSecret }),
    resource: 'urn:plant.example:press-7',
  });
  // Typed, though this package knows none of node-opcua's types.
  const session: opcua.ClientSession = connection.session;
  return await session.read({ nodeId: 'ns=1;s=Temperature' });
}
