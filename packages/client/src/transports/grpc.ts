// gRPC, for clients of @grpc/grpc-js: call credentials that give each call a token.
import { callbackify } from 'node:util';
import type { Client, TokenTarget } from '../client.ts';

interface GrpcMetadata {
  set(name: string, value: string): void;
}

type Generator<Metadata> = (
  call: { readonly service_url: string; readonly method_name?: string },
  done: (error: Error | null, metadata?: Metadata) => void,
) => void;

/** What is used of the module `@grpc/grpc-js`: it is handed over, because metadata must be of its own class. */
export interface GrpcModule<Metadata extends GrpcMetadata, Credentials> {
  readonly Metadata: new () => Metadata;
  readonly credentials: { createFromMetadataGenerator(generator: Generator<Metadata>): Credentials };
}

/**
 * To be combined with the channel's: `credentials.combineChannelCredentials(credentials.createSsl(ca), authorizeGrpc(grpc, client))`.
 * grpc-js sends them over TLS alone. What fails for want of a token fails with UNAUTHENTICATED.
 */
export function authorizeGrpc<Metadata extends GrpcMetadata, Credentials>(
  { Metadata, credentials }: GrpcModule<Metadata, Credentials>,
  client: Client,
  target: TokenTarget = {},
): Credentials {
  async function metadataFor(url: string): Promise<Metadata> {
    const { headers } = await client.authorize({ method: 'POST', url }, target).catch(unauthenticated);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return metadata;
  }

  return credentials.createFromMetadataGenerator(({ service_url: service, method_name: method }, done) => {
    callbackify(metadataFor)(method === undefined ? service : `${service}/${method}`, done);
  });
}

function unauthenticated(error: unknown): never {
  throw Object.assign(error as Error, { code: UNAUTHENTICATED });
}

const UNAUTHENTICATED = 16;
