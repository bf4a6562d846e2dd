// gRPC status codes, those that are answered here. https://grpc.github.io/grpc/core/md_doc_statuscodes.html

export const GRPC_STATUS = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export type GrpcStatusName = keyof typeof GRPC_STATUS;

/** What a call ends with that does not end well. The message goes to the caller: it says nothing that is not theirs to know. */
export class GrpcError extends Error {
  readonly status: Exclude<GrpcStatusName, 'ok'>;
  constructor(status: Exclude<GrpcStatusName, 'ok'>, message: string) {
    super(message);
    this.name = 'GrpcError';
    this.status = status;
  }
}

/** gRPC over HTTP/2, Status-Message: percent-encoded, but for printable ASCII. */
export function statusMessage(text: string): string {
  return Array.from(Buffer.from(text), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
