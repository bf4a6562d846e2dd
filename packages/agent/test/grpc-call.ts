// A caller of gRPC with nothing in between: what a test writes is what goes over the socket.
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';

export interface GrpcAnswer {
  readonly http: number;
  readonly status: number;
  readonly message: string;
  readonly messages: readonly Buffer[];
}

/** One connection to the socket. */
export function openSession(socket: string): ClientHttp2Session {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  session.on('error', () => undefined);
  return session;
}

export function framed(message: Uint8Array, compressed = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const HEADERS = {
  ':method': 'POST',
  'content-type': 'application/grpc',
  te: 'trailers',
  'workload.spiffe.io': 'true',
} as const;

/** A call whose messages are told as they come. `end` resolves with all of it. */
export function begin(
  session: ClientHttp2Session,
  method: string,
  body: Uint8Array = framed(new Uint8Array()),
  headers: OutgoingHttpHeaders = {},
  onMessage: (message: Buffer) => void = () => undefined,
): { readonly end: Promise<GrpcAnswer>; cancel(): void } {
  const path = method.startsWith('/') ? method : `/SpiffeWorkloadAPI/${method}`;
  const stream = session.request({ ...HEADERS, ':path': path, ...headers });
  let got = Buffer.alloc(0);
  let http = 0;
  let trailers: Record<string, unknown> = {};
  const messages: Buffer[] = [];
  stream.on('response', (response) => {
    http = Number(response[':status']);
    trailers = { ...response };
  });
  stream.on('trailers', (more) => (trailers = { ...trailers, ...more }));
  stream.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
    while (got.length >= 5 && got.length >= 5 + got.readUInt32BE(1)) {
      const length = got.readUInt32BE(1);
      const message = Buffer.from(got.subarray(5, 5 + length));
      got = got.subarray(5 + length);
      messages.push(message);
      onMessage(message);
    }
  });
  stream.on('error', () => undefined);
  stream.end(body);
  const end = new Promise<GrpcAnswer>((resolve) => {
    stream.on('close', () =>
      resolve({
        http,
        status: Number(trailers['grpc-status'] ?? -1),
        message: decodeURIComponent(String(trailers['grpc-message'] ?? '')),
        messages,
      }),
    );
  });
  return { end, cancel: () => stream.close() };
}

export async function call(
  session: ClientHttp2Session,
  method: string,
  body?: Uint8Array,
  headers?: OutgoingHttpHeaders,
): Promise<GrpcAnswer> {
  return await begin(session, method, body, headers).end;
}
