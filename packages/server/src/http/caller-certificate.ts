import {
  type CertificateHeaderDialect,
  type CertificateHeaderFault,
  namesCertificate,
  plainAddress,
  readCertificateHeader,
  type TrustedProxies,
} from '@countersign/protocol';
import { createPeerCertificates } from './peer-certificate.ts';
import type { ClientCertificate, ReceivedRequest } from './request.ts';

/** Whose certificate a request shows: that of its connection, or the one that a declared proxy names. */
export interface CallerCertificates {
  /** What the headers say; undefined where they say nothing, or nobody's headers are believed. */
  named(message: ReceivedRequest): NamedCertificate | undefined;
  /** What the connection itself shows. */
  shown(message: ReceivedRequest): ClientCertificate | undefined;
}

export type NamedCertificate =
  | { readonly certificate: ClientCertificate; readonly fault?: undefined }
  | { readonly fault: CertificateHeaderFault; readonly certificate?: undefined };

const SPOOFED: NamedCertificate = { fault: 'spoofed' };

/** `dialect` undefined: no header is read. docs/decisions/0018-one-certificate-header-from-declared-proxies.md. */
export function createCallerCertificates(
  proxies: TrustedProxies,
  dialect: CertificateHeaderDialect | undefined,
): CallerCertificates {
  const peers = createPeerCertificates();
  const isProxy = ({ socket }: ReceivedRequest): boolean =>
    proxies.trusts(plainAddress(socket.remoteAddress));
  return {
    named(message) {
      if (dialect === undefined || !namesCertificate(message)) return undefined;
      if (!isProxy(message)) return SPOOFED;
      const reading = readCertificateHeader(message, dialect);
      if (reading === undefined || reading.fault !== undefined) return reading;
      const own = peers(message.socket);
      const [leaf] = reading.chain;
      // Somebody beside the proxy, at its address: one of the two is not who it says.
      if (own !== undefined && !sameBytes(own.chain[0], leaf)) return SPOOFED;
      return { certificate: { chain: reading.chain, source: 'proxy' } };
    },
    shown(message) {
      const own = peers(message.socket);
      // What a proxy shows is its own, and would make all its callers one.
      return own === undefined || isProxy(message) ? undefined : own;
    },
  };
}

function sameBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left !== undefined && right !== undefined && Buffer.compare(left, right) === 0;
}
