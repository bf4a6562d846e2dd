import { CERTIFICATE_HEADER_DIALECTS } from '@countersign/protocol';
import type { SettingDefinition } from '../setting-definition.ts';

/** Where it listens, as whom, behind what, and how long callers may take. */
export const LISTENING: readonly SettingDefinition[] = [
  {
    name: 'port',
    type: 'integer',
    default: '8443',
    minimum: 0,
    maximum: 65535,
    doc: 'Port to listen on; 0 takes any free one.',
  },
  {
    name: 'mtls-port',
    type: 'integer',
    minimum: 0,
    maximum: 65535,
    doc: 'Second port, whose TLS asks callers for a certificate. Unset: no such listener.',
  },
  {
    name: 'mtls-url',
    type: 'url',
    doc: 'Where clients reach what asks for certificates, for the metadata. Default: the host of the issuer at `mtls-port`.',
  },
  {
    name: 'host',
    type: 'string',
    default: '127.0.0.1',
    doc: 'Address to listen on. `dev` refuses anything but loopback.',
  },
  {
    name: 'issuer',
    type: 'url',
    doc: 'Issuer URL, exactly as tokens and metadata state it. `serve` needs it; `dev` takes https://localhost:PORT.',
  },
  { name: 'tls-cert', type: 'path', doc: 'PEM certificate chain of the server.' },
  { name: 'tls-key', type: 'path', doc: 'PEM private key of the server.' },
  {
    name: 'trusted-proxy',
    type: 'list',
    doc: 'Addresses or CIDR blocks of proxies that terminate TLS and tell the caller’s address in X-Forwarded-For.',
  },
  {
    name: 'client-cert-header',
    type: 'string',
    default: 'none',
    values: ['none', ...CERTIFICATE_HEADER_DIALECTS],
    doc: 'Header in which the proxies of `trusted-proxy` name the certificate of their caller. `none`: no such header is believed.',
  },
  { name: 'http', type: 'boolean', default: 'false', only: 'dev', doc: 'Listen without TLS, on loopback.' },
  {
    name: 'headers-timeout',
    type: 'duration',
    default: '10s',
    minimum: 1,
    maximum: 300,
    doc: 'Time for a request’s headers to arrive.',
  },
  {
    name: 'request-timeout',
    type: 'duration',
    default: '20s',
    minimum: 1,
    maximum: 600,
    doc: 'Time for a whole request to arrive.',
  },
  {
    name: 'keep-alive-timeout',
    type: 'duration',
    default: '65s',
    minimum: 1,
    maximum: 3600,
    doc: 'How long an idle connection is kept.',
  },
  {
    name: 'max-connections',
    type: 'integer',
    default: '10000',
    minimum: 10,
    maximum: 1_000_000,
    doc: 'Connections open at once; more are closed at once.',
  },
  {
    name: 'drain-timeout',
    type: 'duration',
    default: '10s',
    minimum: 0,
    maximum: 600,
    doc: 'Time for requests in flight to end after SIGTERM.',
  },
];
