import { CERTIFICATE_HEADER_DIALECTS } from '@countersign/protocol';

/** Every setting: type, default, bound and doc line. docs/reference/config.md is generated from this table. */
export interface SettingDefinition {
  /** Flag name; the environment variable is COUNTERSIGN_<NAME> with `-` as `_`; the YAML key is the flag name. */
  readonly name: string;
  readonly type: 'string' | 'path' | 'url' | 'integer' | 'duration' | 'boolean' | 'list';
  /** As text, in the form a user would write. Undefined: unset. */
  readonly default?: string;
  /** For integers and durations (seconds): inclusive. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly values?: readonly string[];
  readonly doc: string;
  /** It may hold a secret: may be given as a file through COUNTERSIGN_<NAME>_FILE, which no list of processes shows. */
  readonly secret?: boolean;
  readonly only?: 'dev' | 'serve';
}

export const SETTINGS: readonly SettingDefinition[] = [
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
    name: 'data-dir',
    type: 'path',
    default: '.countersign',
    doc: 'Directory of the embedded database, the audit log, and in `dev` the generated CA and master key.',
  },
  {
    name: 'database',
    type: 'string',
    secret: true,
    doc: '`sqlite:PATH` or `postgres://…`. Default: `registry.db` in the data directory. A URL with a password belongs in a file.',
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
  { name: 'apply', type: 'list', doc: 'Files of declared objects, applied before the authority is ready.' },
  {
    name: 'ready-file',
    type: 'path',
    doc: 'File (mode 0600) written when the authority is ready: addresses, and the admin’s credentials when this start made them. `dev` writes `ready.json` in its data-dir when this is left out.',
  },
  {
    name: 'master-key-file',
    type: 'path',
    doc: 'File with the master key, 64 hex digits. `serve` needs it; `dev` makes one in the data directory.',
  },
  {
    name: 'methods-refused',
    type: 'list',
    default: 'api_key@prod',
    doc: 'Types of credentials that are neither made nor taken in an environment, as `type@environment`; `none` refuses nothing.',
  },
  {
    name: 'credential-max-age',
    type: 'list',
    doc: 'How long credentials may live, as `type@environment=span`, either of them `*`: `client_secret@prod=30d`. Of several that fit the least holds; where none fits, 90 days for secrets and API keys, 365 for keys and certificates.',
  },
  {
    name: 'credential-max-age-mode',
    type: 'string',
    default: 'observe',
    values: ['observe', 'enforce'],
    doc: 'Whether a credential made before `credential-max-age` said so, and older, is only a finding, or gets no token.',
  },
  {
    name: 'owner-acceptance',
    type: 'string',
    default: 'auto',
    values: ['auto', 'required', 'off'],
    doc: 'Whether who is named as the next owner of an identity has to accept it first. `auto`: once an issuer of kind `people` is trusted, so that there is somebody who can.',
  },
  {
    name: 'inactive-identities',
    type: 'string',
    default: 'suspend',
    values: ['suspend', 'report'],
    doc: 'What becomes of an identity that was not used for 30 days, or twice its cadence if that is longer, where use would have been seen. Built-in ones and those of sensitivity 3 are only reported.',
  },
  {
    name: 'suspended-finding-after',
    type: 'duration',
    default: '30d',
    minimum: 86_400,
    maximum: 31_536_000,
    doc: 'After how long an identity that is suspended becomes a finding: end it, or put it back to work.',
  },
  {
    name: 'token-lifetime-limits',
    type: 'list',
    doc: 'What tokens may live at most, as `type@environment=span` by credential and environment, either of them `*`, or as `sensitivity-N=span` by the most sensitive scope: `client_secret@prod=5m,sensitivity-3=1m`. The least of all that fit holds.',
  },
  {
    name: 'issuance-quota',
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Tokens a minute that one identity may ask for, at each process of the authority. Unset: no quota.',
  },
  {
    name: 'issuance-quota-mode',
    type: 'string',
    default: 'observe',
    values: ['observe', 'enforce'],
    doc: 'Whether what goes beyond `issuance-quota` is only counted (`countersign_over_quota_total`) or refused with 429.',
  },
  {
    name: 'approval-validity',
    type: 'duration',
    default: '72h',
    minimum: 3600,
    maximum: 2_592_000,
    doc: 'How long something that needs approval waits for people, and an approval counts.',
  },
  {
    name: 'access-expiring',
    type: 'duration',
    default: '14d',
    minimum: 3600,
    maximum: 7_776_000,
    doc: 'How long before its end an access is shown as expiring.',
  },
  {
    name: 'api-key-rate',
    type: 'integer',
    default: '600',
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Exchanges a minute of one API key, at each process of the authority.',
  },
  {
    name: 'failure-limit',
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Failed authentications a minute for one client_id from one network (IPv4 address, IPv6 /64); more get 429 in place of 401. A right credential always passes. Unset: no limit.',
  },
  {
    name: 'token-lifetime',
    type: 'duration',
    default: '10m',
    minimum: 10,
    maximum: 86_400,
    doc: 'Lifetime of access tokens where nothing else says.',
  },
  {
    name: 'token-lifetime-max',
    type: 'duration',
    default: '1h',
    minimum: 10,
    maximum: 86_400,
    doc: 'No access token lives longer, whatever a resource server or an access asks for.',
  },
  {
    name: 'key-period',
    type: 'duration',
    default: '30d',
    minimum: 3600,
    maximum: 31_536_000,
    doc: 'How long a signing key signs before the next one takes over.',
  },
  {
    name: 'key-lead',
    type: 'duration',
    default: '1d',
    minimum: 600,
    maximum: 2_592_000,
    doc: 'How long a signing key is published before it signs. Longer than `jwks-max-age`.',
  },
  {
    name: 'jwks-max-age',
    type: 'duration',
    default: '5m',
    minimum: 10,
    maximum: 86_400,
    doc: 'How long verifiers may keep the JWKS.',
  },
  {
    name: 'dpop-nonce',
    type: 'boolean',
    default: 'true',
    doc: 'Whether DPoP proofs must carry a nonce of this authority. Without, proofs made in advance are taken.',
  },
  {
    name: 'dev-people',
    type: 'boolean',
    default: 'true',
    only: 'dev',
    doc: 'Whether `dev` brings its own issuer of people, who sign in by a click. A trusted issuer of kind people that is registered takes its place.',
  },
  {
    name: 'outbound-allow',
    type: 'list',
    doc: 'Host names, addresses or CIDR blocks that may be fetched from (key sets, metadata of trusted issuers) though they are not public, or on a port other than 443. In `dev` those on loopback also without TLS.',
  },
  {
    name: 'cached-identities',
    type: 'integer',
    default: '20000',
    minimum: 100,
    maximum: 1_000_000,
    doc: 'Identities held in memory for the token path.',
  },
  {
    name: 'database-connections',
    type: 'integer',
    default: '10',
    minimum: 2,
    maximum: 200,
    doc: 'Connections to PostgreSQL.',
  },
  {
    name: 'audit-reserve',
    type: 'integer',
    default: '67108864',
    minimum: 0,
    maximum: 1_099_511_627_776,
    doc: 'Free bytes kept for issuance: below it, refusals of strangers are counted only.',
  },
  {
    name: 'lost-changes-until',
    type: 'integer',
    default: '0',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    doc: 'Number of an audit event: a registry that lacks changes logged up to it is started all the same, as after putting back an old copy on purpose. The refusal to start names it.',
  },
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
  {
    name: 'log-level',
    type: 'string',
    default: 'info',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    doc: 'Least severity that is logged.',
  },
];
