// A request as the upstream gets it: RFC 9110 §7.6.
import type { IncomingMessage } from 'node:http';
import { namesCertificate, plainAddress } from '@countersign/protocol';
import type { Allowed } from '../decision/decide.ts';
import { type EdgeRequest, headerValues } from '../decision/edge-request.ts';
import type { IdentityHeaders } from '../decision/identity.ts';
import { type Framing, framingHeaders } from './content.ts';
import { describesTheWay, endToEnd } from './hop-by-hop.ts';

export interface ForwardingDeps {
  readonly identity: IdentityHeaders;
  /** What a caller proves itself with and no upstream gets, in lower case. */
  readonly credentials: readonly string[];
  /** Whether who is connected from this address was declared to say which certificate its caller has. */
  readonly namesCertificates: (address: string) => boolean;
}

/** Headers of the request that goes on, names and values in turn. */
export function forwardedHeaders(
  message: IncomingMessage,
  { host, identity: told }: Allowed,
  framing: Framing,
  { identity, credentials, namesCertificates }: ForwardingDeps,
): string[] {
  const { rawHeaders, socket, httpVersion, method = '' } = message;
  const via = [...headerValues(rawHeaders, 'via'), `${httpVersion} countersign`].join(', ');
  const peer = plainAddress(socket.remoteAddress);
  // RFC 9440 §4: what nobody vouches for must not reach an application that believes its proxy.
  const forged = (name: string): boolean =>
    namesCertificate({ rawHeaders: [name, ''] }) && !namesCertificates(peer);
  const ours = new Set(['host', 'content-length', 'expect', 'via', ...credentials]);
  const theirs = endToEnd(
    rawHeaders,
    (name) => ours.has(name) || identity.owns(name) || describesTheWay(name) || forged(name),
  );
  return [
    'Host',
    host.authority,
    ...theirs,
    ...framingHeaders(framing, method),
    'Via',
    via,
    'X-Forwarded-For',
    peer,
    'X-Forwarded-Host',
    host.authority,
    'X-Forwarded-Proto',
    'encrypted' in socket ? 'https' : 'http',
    ...told.filter(([, value]) => value !== '').flat(),
  ];
}

/** The request of a caller that is connected to us. */
export function edgeRequest({ method = '', url = '', rawHeaders, socket }: IncomingMessage): EdgeRequest {
  return { method, target: url, hosts: headerValues(rawHeaders, 'host'), rawHeaders, socket };
}
