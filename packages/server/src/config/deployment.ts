import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { CertificateHeaderDialect } from '@countersign/protocol';
import { SettingError, type Settings } from './load.ts';
import { DIGEST_DAYS } from './settings/mail.ts';
import { type Smtp, smtpOf } from './smtp.ts';

/** Settings, judged: what is left out is decided, what is unsafe refused. Durations in seconds. */
export interface Deployment {
  readonly mode: 'dev' | 'serve';
  readonly host: string;
  readonly port: number;
  readonly mtlsPort: number | undefined;
  /** Undefined: the issuer's host at that port, if there is one. */
  readonly mtlsUrl: string | undefined;
  /** Undefined: `https://localhost:<port>`, known once the port is. */
  readonly issuer: string | undefined;
  readonly dataDir: string;
  readonly database:
    | { readonly kind: 'sqlite'; readonly path: string }
    | { readonly kind: 'postgres'; readonly url: string };
  readonly tls:
    | { readonly kind: 'none' }
    | { readonly kind: 'generated' }
    | { readonly kind: 'files'; readonly certificate: string; readonly key: string };
  readonly trustedProxies: readonly string[];
  /** Undefined: no header that names a certificate is believed. */
  readonly certificateHeader: CertificateHeaderDialect | undefined;
  readonly masterKeyFile: string;
  readonly apply: readonly string[];
  readonly readyFile: string | undefined;
  /** `type@environment`, not judged yet. */
  readonly methodsRefused: readonly string[];
  /** `type@environment=span`, not judged yet. */
  readonly credentialMaxAge: readonly string[];
  readonly credentialMaxAgeMode: 'observe' | 'enforce';
  readonly ownerAcceptance: 'auto' | 'required' | 'off';
  /** `type@environment=span` and `sensitivity-N=span`, not judged yet. */
  readonly tokenLifetimeLimits: readonly string[];
  readonly inactiveIdentities: 'suspend' | 'report';
  readonly suspendedFindingAfter: number;
  readonly missedReductions: 'report' | 'restore';
  readonly rollbackWindow: number;
  readonly issuanceQuota: number | undefined;
  readonly issuanceQuotaMode: 'observe' | 'enforce';
  readonly approvalValidity: number;
  readonly accessExpiring: number;
  /** Not judged yet. */
  readonly credentialExpiring: readonly string[];
  readonly rotationOverlap: number;
  readonly selfRotation: boolean;
  /** Not judged yet. Undefined: the issuer's host. */
  readonly trustDomain: string | undefined;
  readonly certificateLifetime: number;
  readonly deviceCertificateLifetime: number;
  readonly svidLifetime: number;
  readonly jwtSvidLifetime: number;
  readonly claimCodeLifetime: number;
  readonly certificateRetention: number;
  readonly apiKeyRate: number;
  readonly failureLimit: number | undefined;
  readonly tokenLifetime: number;
  readonly tokenLifetimeMax: number;
  readonly keyPeriod: number;
  readonly keyLead: number;
  readonly jwksMaxAge: number;
  readonly cachedIdentities: number;
  readonly databaseConnections: number;
  readonly auditReserve: number;
  readonly lostChangesUntil: number;
  readonly dpopNonce: boolean;
  /** Never in `serve`. */
  readonly devPeople: boolean;
  readonly console: boolean;
  /** Undefined: no mail is sent. */
  readonly smtp: Smtp | undefined;
  /** 0 = Sunday. Undefined: no digests. */
  readonly digestDay: number | undefined;
  readonly leakAction: 'report' | 'suspend-credential' | 'suspend-identity';
  /** Not judged yet. */
  readonly outboundAllow: readonly string[];
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly maxConnections: number;
  readonly drainTimeout: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** Throws `SettingError` for whatever would be unsafe in this mode. */
export function toDeployment(mode: 'dev' | 'serve', settings: Settings): Deployment {
  const read = reader(settings);
  const dataDir = resolve(read.text('data-dir') ?? '.countersign');
  const host = read.text('host') ?? '127.0.0.1';
  const trustedProxies = read.list('trusted-proxy');
  const issuer = read.text('issuer');
  if (issuer !== undefined) checkIssuer(issuer, mode);
  if (mode === 'dev') checkDevelopmentHost(host);
  if (mode === 'serve' && issuer === undefined) {
    throw new SettingError('issuer', 'is needed', 'Set it to the public https URL of this authority.');
  }
  const deployment: Deployment = {
    mode,
    host,
    port: read.number('port'),
    mtlsPort: settings.get('mtls-port') as number | undefined,
    mtlsUrl: read.text('mtls-url'),
    issuer,
    dataDir,
    database: databaseOf(read.text('database'), dataDir),
    tls: tlsOf(mode, read, trustedProxies),
    trustedProxies,
    certificateHeader: certificateHeaderOf(read.text('client-cert-header'), trustedProxies),
    masterKeyFile: masterKeyFileOf(mode, read.text('master-key-file'), dataDir),
    apply: read.list('apply'),
    readyFile: read.text('ready-file') ?? (mode === 'dev' ? join(dataDir, 'ready.json') : undefined),
    methodsRefused: read.list('methods-refused'),
    credentialMaxAge: read.list('credential-max-age'),
    credentialMaxAgeMode: read.text('credential-max-age-mode') as Deployment['credentialMaxAgeMode'],
    ownerAcceptance: read.text('owner-acceptance') as Deployment['ownerAcceptance'],
    tokenLifetimeLimits: read.list('token-lifetime-limits'),
    inactiveIdentities: read.text('inactive-identities') as Deployment['inactiveIdentities'],
    suspendedFindingAfter: read.number('suspended-finding-after'),
    missedReductions: read.text('missed-reductions') as Deployment['missedReductions'],
    rollbackWindow: read.number('rollback-window'),
    issuanceQuota: settings.get('issuance-quota') as number | undefined,
    issuanceQuotaMode: read.text('issuance-quota-mode') as Deployment['issuanceQuotaMode'],
    approvalValidity: read.number('approval-validity'),
    accessExpiring: read.number('access-expiring'),
    credentialExpiring: read.list('credential-expiring'),
    rotationOverlap: read.number('rotation-overlap'),
    selfRotation: read.flag('self-rotation'),
    trustDomain: read.text('trust-domain'),
    certificateLifetime: read.number('certificate-lifetime'),
    deviceCertificateLifetime: read.number('device-certificate-lifetime'),
    svidLifetime: read.number('svid-lifetime'),
    jwtSvidLifetime: read.number('jwt-svid-lifetime'),
    claimCodeLifetime: read.number('claim-code-lifetime'),
    certificateRetention: read.number('certificate-retention'),
    apiKeyRate: read.number('api-key-rate'),
    failureLimit: settings.get('failure-limit') as number | undefined,
    tokenLifetime: read.number('token-lifetime'),
    tokenLifetimeMax: read.number('token-lifetime-max'),
    keyPeriod: read.number('key-period'),
    keyLead: read.number('key-lead'),
    jwksMaxAge: read.number('jwks-max-age'),
    cachedIdentities: read.number('cached-identities'),
    databaseConnections: read.number('database-connections'),
    auditReserve: read.number('audit-reserve'),
    lostChangesUntil: read.number('lost-changes-until'),
    dpopNonce: read.flag('dpop-nonce'),
    devPeople: mode === 'dev' && read.flag('dev-people'),
    console: read.flag('console'),
    smtp: smtpOf({
      url: read.text('smtp-url'),
      from: read.text('smtp-from'),
      tls: read.text('smtp-tls'),
      caFile: read.text('smtp-ca'),
    }),
    digestDay: digestDayOf(read.text('digest-day')),
    leakAction: read.text('leak-action') as Deployment['leakAction'],
    outboundAllow: read.list('outbound-allow'),
    headersTimeout: read.number('headers-timeout'),
    requestTimeout: read.number('request-timeout'),
    keepAliveTimeout: read.number('keep-alive-timeout'),
    maxConnections: read.number('max-connections'),
    drainTimeout: read.number('drain-timeout'),
    logLevel: read.text('log-level') as Deployment['logLevel'],
  };
  checkMtlsUrl(deployment);
  checkLifetimes(deployment);
  return deployment;
}

function digestDayOf(day: string | undefined): number | undefined {
  const at = DIGEST_DAYS.findIndex((each) => each === day);
  return at < 0 ? undefined : at;
}

interface Reader {
  text(name: string): string | undefined;
  number(name: string): number;
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

function reader(settings: Settings): Reader {
  return {
    text: (name) => settings.get(name) as string | undefined,
    number: (name) => settings.get(name) as number,
    list: (name) => (settings.get(name) as readonly string[] | undefined) ?? [],
    flag: (name) => settings.get(name) === true,
  };
}

function databaseOf(text: string | undefined, dataDir: string): Deployment['database'] {
  if (text === undefined) return { kind: 'sqlite', path: join(dataDir, 'registry.db') };
  if (text.startsWith('sqlite:') && text.length > 'sqlite:'.length) {
    return { kind: 'sqlite', path: resolve(text.slice('sqlite:'.length)) };
  }
  if (/^postgres(?:ql)?:\/\//.test(text)) return { kind: 'postgres', url: text };
  throw new SettingError(
    'database',
    'is neither sqlite:PATH nor postgres://…',
    'Write it in one of these forms.',
  );
}

function tlsOf(mode: Deployment['mode'], read: Reader, proxies: readonly string[]): Deployment['tls'] {
  const certificate = read.text('tls-cert');
  const key = read.text('tls-key');
  if (certificate !== undefined && key !== undefined) return { kind: 'files', certificate, key };
  if (certificate !== undefined || key !== undefined) {
    throw new SettingError('tls-cert', 'and tls-key belong together', 'Give both or neither.');
  }
  if (mode === 'dev') return read.flag('http') ? { kind: 'none' } : { kind: 'generated' };
  if (proxies.length === 0) {
    throw new SettingError(
      'tls-cert',
      'is missing: credentials would cross the network in the clear',
      'Give tls-cert and tls-key, or declare the TLS-terminating proxy with trusted-proxy.',
    );
  }
  return { kind: 'none' };
}

function certificateHeaderOf(
  dialect: string | undefined,
  proxies: readonly string[],
): CertificateHeaderDialect | undefined {
  if (dialect === undefined || dialect === 'none') return undefined;
  if (proxies.length > 0) return dialect as CertificateHeaderDialect;
  throw new SettingError(
    'client-cert-header',
    'needs a proxy whose word it is',
    'Declare it with trusted-proxy, or leave this out where callers connect directly.',
  );
}

function masterKeyFileOf(mode: Deployment['mode'], given: string | undefined, dataDir: string): string {
  if (given !== undefined) return resolve(given);
  if (mode === 'dev') return join(dataDir, 'master.key');
  throw new SettingError(
    'master-key-file',
    'is needed: signing keys are sealed and secrets hashed under it',
    'Make one with: (umask 077; openssl rand -hex 32 > master.key), and keep it apart from the database.',
  );
}

function checkIssuer(issuer: string, mode: Deployment['mode']): void {
  const fix = 'RFC 8414 §2: an https URL without query, fragment or trailing slash.';
  if (!URL.canParse(issuer)) throw new SettingError('issuer', 'is not a URL', fix);
  const url = new URL(issuer);
  const loopback = url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]';
  if (url.protocol !== 'https:' && !(mode === 'dev' && loopback && url.protocol === 'http:')) {
    throw new SettingError('issuer', 'is not https', fix);
  }
  if (url.search !== '' || url.hash !== '' || issuer.endsWith('/') || url.username + url.password !== '') {
    throw new SettingError('issuer', 'has a query, fragment, user or trailing slash', fix);
  }
  const plain = url.origin + (url.pathname === '/' ? '' : url.pathname);
  if (issuer !== plain) {
    throw new SettingError(
      'issuer',
      'is not in its plain form',
      `Others compare it character by character: write ${plain}.`,
    );
  }
}

function checkMtlsUrl({ mtlsUrl, mtlsPort, certificateHeader }: Deployment): void {
  if (mtlsUrl === undefined) return;
  const url = URL.canParse(mtlsUrl) ? new URL(mtlsUrl) : undefined;
  const plain = url === undefined ? '' : url.origin + (url.pathname === '/' ? '' : url.pathname);
  if (url?.protocol !== 'https:' || mtlsUrl !== plain || mtlsUrl.endsWith('/')) {
    throw new SettingError(
      'mtls-url',
      'is not a plain https URL',
      'Write it without query or trailing slash.',
    );
  }
  if (mtlsPort !== undefined || certificateHeader !== undefined) return;
  throw new SettingError(
    'mtls-url',
    'leads to no certificate',
    'Set mtls-port, or client-cert-header where a proxy asks for certificates.',
  );
}

function checkDevelopmentHost(host: string): void {
  const loopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (!loopback) {
    throw new SettingError(
      'host',
      `${host} is not loopback`,
      '`dev` is for this machine only; use `serve` for others.',
    );
  }
}

function checkLifetimes(deployment: Deployment): void {
  if (deployment.tokenLifetime > deployment.tokenLifetimeMax) {
    throw new SettingError(
      'token-lifetime',
      'is above token-lifetime-max',
      'Lower it, or raise the maximum.',
    );
  }
  if (deployment.keyLead <= deployment.jwksMaxAge) {
    throw new SettingError(
      'key-lead',
      'is not above jwks-max-age',
      'A key must be seen by every cache before it signs.',
    );
  }
  if (deployment.keyPeriod <= deployment.keyLead) {
    throw new SettingError(
      'key-period',
      'is not above key-lead',
      'A key must sign longer than the next one waits.',
    );
  }
}
