// The guide's example, held against aedes's own types. Compiled by types.test.ts; never run.
import { createServer, type Server } from 'node:net';
import { aedesHooks } from '@countersign/mqtt/aedes';
import { createVerifier } from '@countersign/resource-server';
import { Aedes } from 'aedes';

export async function broker(): Promise<Server> {
  const verifier = createVerifier({
    issuer: 'https://auth.example',
    audience: 'https://mqtt.plant.example',
  });
  await verifier.ready();
  const broker = await Aedes.createBroker({ ...aedesHooks({ verifier }) });
  return createServer(broker.handle).listen(1883, '127.0.0.1');
}
