// gRPC over HTTP/2, Length-Prefixed-Message. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import type { Readable } from 'node:stream';
import { GrpcError } from './status.ts';

/** One byte says whether it is compressed, four how long it is. */
const PREFIX_BYTES = 5;

/** A request of the Workload API is a list of audiences, or a token. */
export const MOST_REQUEST_BYTES = 65_536;

export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/**
 * The one message of a request, put together from whatever pieces it came in.
 * @throws GrpcError where there is none, more than one, or one that is compressed or too long
 */
export async function readOnly(stream: Readable): Promise<Uint8Array> {
  let got = Buffer.alloc(0);
  // Its answer is still to be written when no more is read.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    got = Buffer.concat([got, chunk as Uint8Array]);
    if (got.length >= PREFIX_BYTES) requireAcceptable(got);
    if (got.length > PREFIX_BYTES + MOST_REQUEST_BYTES) throw tooLong();
  }
  if (got.length < PREFIX_BYTES || got.length < PREFIX_BYTES + got.readUInt32BE(1)) {
    throw new GrpcError('invalidArgument', 'the request has no whole message');
  }
  if (got.length > PREFIX_BYTES + got.readUInt32BE(1)) {
    throw new GrpcError('unimplemented', 'the request has more than one message');
  }
  return got.subarray(PREFIX_BYTES);
}

function requireAcceptable(got: Buffer): void {
  if (got[0] !== 0) throw new GrpcError('unimplemented', 'compressed messages are not taken');
  if (got.readUInt32BE(1) > MOST_REQUEST_BYTES) throw tooLong();
}

function tooLong(): GrpcError {
  return new GrpcError('resourceExhausted', `a request has at most ${MOST_REQUEST_BYTES} bytes`);
}
