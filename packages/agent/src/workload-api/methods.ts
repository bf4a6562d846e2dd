// The methods of the SPIFFE Workload API (SPIFFE Workload API §5, §6), for whoever attestation finds at the other end.
import type { IncomingHttpHeaders } from 'node:http2';
import type { Call, Method } from '../grpc/server.ts';
import { GrpcError } from '../grpc/status.ts';
import { MalformedMessage } from '../protobuf/reader.ts';

/** SPIFFE Workload Endpoint §4: what no web page can be made to send. */
const SECURITY_HEADER = 'workload.spiffe.io';

/** @throws GrpcError */
export function requireSecurityHeader(headers: IncomingHttpHeaders): void {
  if (headers[SECURITY_HEADER] === 'true') return;
  throw new GrpcError('invalidArgument', 'security header missing from request');
}

/** `SpiffeWorkloadAPI` has no package, and nothing may be added to it. */
export function pathOf(method: string): string {
  return `/SpiffeWorkloadAPI/${method}`;
}

/** The method with its bad messages told to the caller as such. */
export function taking<Peer, Request>(
  read: (message: Uint8Array) => Request,
  run: (call: Call<Peer>, request: Request) => Promise<void>,
): Method<Peer> {
  return async (call) => {
    let request: Request;
    try {
      request = read(call.request);
    } catch (error) {
      if (error instanceof MalformedMessage) throw new GrpcError('invalidArgument', error.message);
      throw error;
    }
    await run(call, request);
  };
}
