// The same resource as a method of a gRPC server, called by grpc-js's own client.
import * as grpc from '@grpc/grpc-js';
import { authOf, requireScopes } from '../../src/frameworks/grpc.ts';
import type { Verifier } from '../../src/verifier.ts';
import { AUDIENCE } from '../tiny-issuer.ts';
import type { Running } from './http-servers.ts';
import type { Ask, Reply } from './requests.ts';
import { SCOPE } from './world.ts';

export const LIST = '/fraud.Cases/List';
const UNNAMED = '/fraud.Cases/Delete';
const HTTP: { readonly [code: number]: number } = { 3: 400, 16: 401, 7: 403, 14: 503 };

const serialize = (value: string): Buffer => Buffer.from(value);
const deserialize = (bytes: Buffer): string => bytes.toString();

function definition(path: string): grpc.MethodDefinition<string, string> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  };
}

export async function startGrpc(verifier: Verifier): Promise<Running> {
  const server = new grpc.Server({
    interceptors: [requireScopes(verifier, grpc, { [LIST]: SCOPE })],
  });
  const handler: grpc.handleUnaryCall<string, string> = (call, callback) => {
    callback(null, authOf(call.metadata)?.claims.client_id ?? '');
  };
  server.addService(
    { list: definition(LIST), delete: definition(UNNAMED) },
    { list: handler, delete: handler },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());

  function ask({ headers, path = LIST }: Ask): Promise<Reply> {
    const metadata = new grpc.Metadata();
    for (const [name, value] of headers) metadata.add(name, value);
    return new Promise((resolve) => {
      let sent = new grpc.Metadata();
      const call = client.makeUnaryRequest(path, serialize, deserialize, 'all', metadata, (error, caller) => {
        const told = error?.metadata ?? sent;
        const text = (name: string): string | undefined => told.get(name)[0]?.toString();
        resolve({
          status: error === null ? 200 : (HTTP[error.code] ?? error.code),
          challenge: text('www-authenticate'),
          nonce: text('dpop-nonce'),
          error: error?.details === '' ? undefined : error?.details,
          caller,
          type: undefined,
          body: '',
        });
      });
      call.on('metadata', (received) => {
        sent = received;
      });
    });
  }

  return {
    served: { ask, path: LIST, target: { method: 'POST', url: `${AUDIENCE}${LIST}` } },
    close() {
      client.close();
      server.forceShutdown();
    },
  };
}
