// The options of createVerifier, read once into what the rest relies on: RFC 8414 §2, RFC 8707 §2, RFC 8725 §3.1.
import {
  DPOP_ALGORITHMS,
  isJwsAlgorithm,
  isSecure,
  JWS_ALGORITHMS,
  type JwsAlgorithm,
  parseIssuer,
  parseResourceIndicator,
  parseScope,
} from '@countersign/protocol/portable';
import type { CutoffAlarm } from './cutoff-alarm.ts';
import type { ApiKeySettings } from './api-keys.ts';
import type { Introspecting } from './introspecting.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import { type PublishedMetadata, publishedMetadata } from './metadata.ts';
import {
  type IssuerOptions,
  type OnStale,
  type TokenSource,
  VerifierOptionError,
  badOption,
  optionalFunction,
  refuseUnknown,
  type VerifierOptions,
} from './options.ts';
import type { Platform } from './platform/platform.ts';
import { type CallerCertificate, ofConnection } from './sender-constraint/caller-certificate.ts';
import {
  type DpopSettings,
  readDpop,
  readSenderConstraint,
  type SenderConstraintWanted,
} from './sender-constraint/settings.ts';
import { readUsage, type UsageSettings } from './usage/settings.ts';

export interface VerifierSettings {
  readonly issuers: readonly IssuerSettings[];
  readonly audience: readonly string[];
  readonly clock: () => number;
  readonly leeway: number;
  readonly remember: number;
  readonly senderConstraint: SenderConstraintWanted;
  readonly dpop: DpopSettings;
  readonly callerCertificate: CallerCertificate;
  readonly staleAfter: number;
  readonly onStale: OnStale;
  /** A random id of this running copy, by which the authority tells it from others. */
  readonly instance: string;
  readonly receipts: TokenSource | false | undefined;
  readonly onCutoffAlarm: ((alarm: CutoffAlarm) => void) | undefined;
  readonly introspect: Introspecting | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly metadata: PublishedMetadata | undefined;
  /** Undefined: an API key is no token here. */
  readonly apiKeys: ApiKeySettings | undefined;
  /** Undefined: nobody is told what is used. */
  readonly usage: UsageSettings | undefined;
  readonly onRefusal: VerifierOptions['onRefusal'];
}

/** @throws VerifierOptionError */
export function readOptions(
  {
    issuer,
    issuers: several,
    audience: one,
    jwks,
    algorithms,
    clock,
    leeway,
    senderConstraint,
    publicUrl,
    certificateHeader,
    dpop: proofs,
    remember,
    cutoffs,
    introspect,
    apiKeys,
    usage,
    onRefusal,
    fetch,
    metadata,
    ...unknown
  }: VerifierOptions,
  platform: Pick<Platform, 'certificateHeader'>,
): VerifierSettings {
  refuseUnknown(unknown);
  const audience = typeof one === 'string' ? [one] : [...(one ?? [])];
  if (audience.length === 0) {
    throw new VerifierOptionError('missing_option', 'audience', "give this API's resource identifier");
  }
  for (const name of audience) {
    // Foreign issuers name APIs by anything; an empty name or a stray space is a mistake with all of them.
    if (typeof name !== 'string' || name === '' || name.trim() !== name) {
      throw badOption('audience', 'give the resource identifier as registered');
    }
  }
  const issuers = readIssuers(issuer, several, { jwks, algorithms, cutoffs });
  const dpop = readDpop(proofs, publicUrl, audience);
  return {
    issuers,
    audience,
    clock: clock ?? systemClock,
    leeway: bounded('leeway', leeway ?? 5, 0, 60),
    remember: readRemember(remember ?? 5000),
    senderConstraint: readSenderConstraint(senderConstraint, dpop),
    dpop,
    callerCertificate: readCertificateHeader(certificateHeader, platform.certificateHeader),
    ...readCutoffs(cutoffs, introspect),
    instance: globalThis.crypto.randomUUID(),
    introspect: readIntrospect(introspect, issuers),
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    metadata: readMetadata(metadata, audience, issuers, senderConstraint, dpop),
    apiKeys: readApiKeys(apiKeys, audience, issuers),
    usage: readUsage(usage, issuers),
    onRefusal: optionalFunction('onRefusal', onRefusal),
  };
}

function readCertificateHeader(
  given: VerifierOptions['certificateHeader'],
  read: Platform['certificateHeader'],
): CallerCertificate {
  if (given === undefined) return ofConnection;
  if (read === undefined) throw badOption('certificateHeader', 'needs Node');
  return read(given);
}

/** An answer is believed of one issuer only: whoever answers could speak for all of them otherwise. */
function readIntrospect(
  introspect: VerifierOptions['introspect'],
  issuers: readonly IssuerSettings[],
): Introspecting | undefined {
  if (introspect === undefined || introspect === false) return undefined;
  if (typeof introspect?.introspect !== 'function') {
    throw badOption('introspect', 'give a client of @countersign/client');
  }
  if (issuers.length > 1) {
    throw badOption('introspect', 'is there with one issuer only');
  }
  return introspect;
}

/** What is said of all issuers at once. */
interface OfAll {
  readonly jwks: VerifierOptions['jwks'] | undefined;
  readonly algorithms: readonly JwsAlgorithm[] | undefined;
  readonly cutoffs: VerifierOptions['cutoffs'] | undefined;
}

function readIssuers(
  issuer: VerifierOptions['issuer'],
  several: VerifierOptions['issuers'],
  ofAll: OfAll,
): IssuerSettings[] {
  if ((issuer === undefined) === (several === undefined)) {
    throw new VerifierOptionError('missing_option', 'issuer', 'give either issuer or issuers');
  }
  const list = several ?? [issuer as string];
  if (list.length === 0) throw new VerifierOptionError('missing_option', 'issuers', 'name at least one');
  if (ofAll.jwks !== undefined && list.length > 1) {
    throw badOption('jwks', 'with several issuers, give each its own');
  }
  const settings = list.map((entry) =>
    readIssuer(typeof entry === 'string' ? { issuer: entry } : entry, ofAll),
  );
  if (new Set(settings.map(({ issuer }) => issuer)).size !== settings.length) {
    throw badOption('issuers', 'one of them is named twice');
  }
  return settings;
}

function readIssuer(
  { issuer: name, jwks: own, algorithms: taken, allowPlainJwt, cutoffs, ...unknown }: IssuerOptions,
  ofAll: OfAll,
): IssuerSettings {
  refuseUnknown(unknown, 'issuers.');
  const issuer = typeof name === 'string' ? parseIssuer(name) : undefined;
  if (issuer === undefined) {
    throw badOption('issuer', 'give an https URL (http only on loopback), without query');
  }
  const algorithms = taken ?? ofAll.algorithms ?? (Object.keys(JWS_ALGORITHMS) as JwsAlgorithm[]);
  if (algorithms.length === 0 || !algorithms.every(isJwsAlgorithm)) {
    throw badOption('algorithms', `take from ${Object.keys(JWS_ALGORITHMS).join(' ')}`);
  }
  const rsa = algorithms.filter((alg) => JWS_ALGORITHMS[alg].kty === 'RSA') as (
    | 'RS256'
    | 'RS384'
    | 'PS256'
  )[];
  const jwks = own ?? ofAll.jwks;
  if (typeof jwks === 'string' && !(URL.canParse(jwks) && isSecure(new URL(jwks)))) {
    throw badOption('jwks', 'give an https address (http only on loopback) or a JWK set');
  }
  return {
    issuer,
    jwks,
    algorithms: new Set(algorithms),
    rsaAlgorithm: rsa.length === 1 ? rsa[0] : undefined,
    allowPlainJwt: allowPlainJwt === true,
    followCutoffs: ofAll.cutoffs !== false && cutoffs !== false,
  };
}

function readCutoffs(
  cutoffs: VerifierOptions['cutoffs'],
  introspect: VerifierOptions['introspect'],
): Pick<VerifierSettings, 'staleAfter' | 'onStale' | 'receipts' | 'onCutoffAlarm'> {
  const { receipts, onAlarm, staleAfter: seconds, onStale: stale, ...unknown } = cutoffs || {};
  refuseUnknown(unknown, 'cutoffs.');
  if (receipts !== undefined && receipts !== false && typeof receipts?.token !== 'function') {
    throw badOption('cutoffs.receipts', 'give a client of @countersign/client');
  }
  const onCutoffAlarm = optionalFunction('cutoffs.onAlarm', onAlarm);
  const staleAfter = bounded('cutoffs.staleAfter', seconds ?? 10, 2, 3600);
  const onStale = stale ?? 'refuse';
  if (onStale === 'introspect' && !introspect) {
    throw new VerifierOptionError(
      'missing_option',
      'introspect',
      "is needed for cutoffs.onStale 'introspect'",
    );
  }
  const further = { receipts, onCutoffAlarm };
  if (onStale === 'refuse' || onStale === 'introspect') return { staleAfter, onStale, ...further };
  if (typeof onStale !== 'object' || onStale === null) {
    throw badOption('cutoffs.onStale', "give 'refuse' or {acceptYoungerThan}");
  }
  const acceptYoungerThan = bounded(
    'cutoffs.onStale.acceptYoungerThan',
    onStale.acceptYoungerThan,
    1,
    86_400,
  );
  return { staleAfter, onStale: { acceptYoungerThan }, ...further };
}

function readApiKeys(
  apiKeys: VerifierOptions['apiKeys'],
  audience: readonly string[],
  issuers: readonly IssuerSettings[],
): ApiKeySettings | undefined {
  if (apiKeys === undefined || apiKeys === false) return undefined;
  const { issuer, cacheFor = MOST_CACHE_FOR, ...unknown } = apiKeys === true ? {} : apiKeys;
  refuseUnknown(unknown, 'apiKeys.');
  const [only, another] = issuers.filter((each) => issuer === undefined || each.issuer === issuer);
  if (only === undefined || another !== undefined) {
    throw badOption('apiKeys.issuer', 'name the one of the issuers whose keys to take');
  }
  return {
    issuer: only.issuer,
    resource: audience[0] as string,
    cacheFor: bounded('apiKeys.cacheFor', cacheFor, 1, MOST_CACHE_FOR),
  };
}

/** Seconds: how long an authority that is not asked may be wrong about a key. */
const MOST_CACHE_FOR = 60;

function readMetadata(
  metadata: VerifierOptions['metadata'],
  audience: readonly string[],
  issuers: readonly IssuerSettings[],
  senderConstraint: VerifierOptions['senderConstraint'],
  { publicUrls }: DpopSettings,
): PublishedMetadata | undefined {
  if (metadata === undefined) return undefined;
  const { scopes, name, documentation, ...unknown } = metadata;
  refuseUnknown(unknown, 'metadata.');
  if (scopes?.some((token) => parseScope(token)?.[0] !== token)) {
    throw badOption('metadata.scopes', 'one of them is not a scope token');
  }
  const resource = parseResourceIndicator(audience[0] as string);
  const published =
    resource === undefined
      ? undefined
      : publishedMetadata({
          resource,
          issuers: issuers.map(({ issuer }) => issuer),
          scopes,
          name,
          documentation,
          mtls: senderConstraint === 'mtls',
          dpop:
            publicUrls.length === 0
              ? undefined
              : { algorithms: DPOP_ALGORITHMS, required: senderConstraint === 'dpop' },
        });
  if (published === undefined) {
    throw badOption('metadata', 'needs an audience that is a web address');
  }
  return published;
}

function readRemember(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= 1_000_000) return value;
  throw badOption('remember', 'give a number of tokens from 0 to 1,000,000');
}

function bounded(option: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw badOption(option, `give seconds from ${least} to ${most}`);
}

function systemClock(): number {
  return Math.floor(Date.now() / 1000);
}
