// The options of createVerifier, read once into what the rest relies on: RFC 8414 §2, RFC 8707 §2, RFC 8725 §3.1.
import {
  DPOP_ALGORITHMS,
  isJwsAlgorithm,
  isLoopback,
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
  type VerifierOptions,
} from './options.ts';
import type { Platform } from './platform/platform.ts';
import type { Refusal } from './refusal.ts';
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
  readonly onRefusal: ((refusal: Refusal) => void) | undefined;
  readonly introspect: Introspecting | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly metadata: PublishedMetadata | undefined;
  /** Undefined: an API key is no token here. */
  readonly apiKeys: ApiKeySettings | undefined;
  /** Undefined: nobody is told what is used. */
  readonly usage: UsageSettings | undefined;
}

/** @throws VerifierOptionError */
export function readOptions(
  options: VerifierOptions,
  { certificateHeader }: Pick<Platform, 'certificateHeader'>,
): VerifierSettings {
  const audience = typeof options.audience === 'string' ? [options.audience] : [...(options.audience ?? [])];
  if (audience.length === 0) {
    throw new VerifierOptionError('missing_option', 'audience', "give this API's resource identifier");
  }
  for (const name of audience) {
    // Foreign issuers name APIs by anything; an empty name or a stray space is a mistake with all of them.
    if (typeof name !== 'string' || name === '' || name.trim() !== name) {
      throw badOption('audience', 'give the resource identifier as registered');
    }
  }
  const issuers = readIssuers(options);
  const clock = options.clock ?? systemClock;
  const dpop = readDpop(options, audience);
  return {
    issuers,
    audience,
    clock,
    leeway: bounded('leeway', options.leeway ?? 5, 0, 60),
    remember: readRemember(options.remember),
    senderConstraint: readSenderConstraint(options.senderConstraint, dpop),
    dpop,
    callerCertificate: readCertificateHeader(options.certificateHeader, certificateHeader),
    ...readCutoffs(options),
    instance: globalThis.crypto.randomUUID(),
    onRefusal: readOnRefusal(options.onRefusal),
    introspect: readIntrospect(options.introspect, issuers),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    metadata: readMetadata(options, audience, issuers, dpop),
    apiKeys: readApiKeys(options.apiKeys, audience, issuers),
    usage: readUsage(options.usage, issuers),
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

function readOnRefusal(given: VerifierOptions['onRefusal']): VerifierOptions['onRefusal'] {
  if (given === undefined || typeof given === 'function') return given;
  throw badOption('onRefusal', 'give a function');
}

/** An answer is believed of one issuer only: whoever answers could speak for all of them otherwise. */
function readIntrospect(
  introspect: VerifierOptions['introspect'],
  issuers: readonly IssuerSettings[],
): Introspecting | undefined {
  if (introspect === undefined || introspect === false) return undefined;
  if (typeof introspect !== 'object' || typeof introspect.introspect !== 'function') {
    throw badOption('introspect', 'give a client of @countersign/client');
  }
  if (issuers.length > 1) {
    throw badOption('introspect', 'is there with one issuer only');
  }
  return introspect;
}

function readIssuers(options: VerifierOptions): IssuerSettings[] {
  if ((options.issuer === undefined) === (options.issuers === undefined)) {
    throw new VerifierOptionError('missing_option', 'issuer', 'give either issuer or issuers');
  }
  const list = options.issuers ?? [options.issuer as string];
  if (list.length === 0) throw new VerifierOptionError('missing_option', 'issuers', 'name at least one');
  if (options.jwks !== undefined && list.length > 1) {
    throw badOption('jwks', 'with several issuers, give each its own');
  }
  const settings = list.map((entry) =>
    readIssuer(typeof entry === 'string' ? { issuer: entry } : entry, options),
  );
  if (new Set(settings.map(({ issuer }) => issuer)).size !== settings.length) {
    throw badOption('issuers', 'one of them is named twice');
  }
  return settings;
}

function readIssuer(entry: IssuerOptions, options: VerifierOptions): IssuerSettings {
  const issuer = typeof entry.issuer === 'string' ? parseIssuer(entry.issuer) : undefined;
  if (issuer === undefined) {
    throw badOption('issuer', 'give an https URL (http only on loopback), without query');
  }
  const algorithms =
    entry.algorithms ?? options.algorithms ?? (Object.keys(JWS_ALGORITHMS) as JwsAlgorithm[]);
  if (algorithms.length === 0 || !algorithms.every(isJwsAlgorithm)) {
    throw badOption('algorithms', `take from ${Object.keys(JWS_ALGORITHMS).join(' ')}`);
  }
  const rsa = algorithms.filter((alg) => JWS_ALGORITHMS[alg].kty === 'RSA') as (
    | 'RS256'
    | 'RS384'
    | 'PS256'
  )[];
  const jwks = entry.jwks ?? options.jwks;
  if (typeof jwks === 'string' && !isSafeAddress(jwks)) {
    throw badOption('jwks', 'give an https address (http only on loopback) or a JWK set');
  }
  return {
    issuer,
    jwks,
    algorithms: new Set(algorithms),
    rsaAlgorithm: rsa.length === 1 ? rsa[0] : undefined,
    allowPlainJwt: entry.allowPlainJwt === true,
    followCutoffs: options.cutoffs !== false && entry.cutoffs !== false,
  };
}

function readCutoffs({
  cutoffs,
  introspect,
}: VerifierOptions): Pick<VerifierSettings, 'staleAfter' | 'onStale' | 'receipts' | 'onCutoffAlarm'> {
  const given = cutoffs === false ? {} : (cutoffs ?? {});
  const { receipts, onAlarm: onCutoffAlarm } = given;
  if (receipts !== undefined && receipts !== false && typeof receipts?.token !== 'function') {
    throw badOption('cutoffs.receipts', 'give a client of @countersign/client');
  }
  if (onCutoffAlarm !== undefined && typeof onCutoffAlarm !== 'function') {
    throw badOption('cutoffs.onAlarm', 'give a function');
  }
  const staleAfter = bounded('cutoffs.staleAfter', given.staleAfter ?? 10, 2, 3600);
  const onStale = given.onStale ?? 'refuse';
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
  const { issuer, cacheFor = MOST_CACHE_FOR } = apiKeys === true ? {} : apiKeys;
  const named = issuer === undefined ? issuers : issuers.filter((each) => each.issuer === issuer);
  const [only] = named;
  if (only === undefined || named.length > 1) {
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
  options: VerifierOptions,
  audience: readonly string[],
  issuers: readonly IssuerSettings[],
  { publicUrls }: DpopSettings,
): PublishedMetadata | undefined {
  if (options.metadata === undefined) return undefined;
  const { scopes, name, documentation } = options.metadata;
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
          mtls: options.senderConstraint === 'mtls',
          dpop:
            publicUrls.length === 0
              ? undefined
              : { algorithms: DPOP_ALGORITHMS, required: options.senderConstraint === 'dpop' },
        });
  if (published === undefined) {
    throw badOption('metadata', 'needs an audience that is a web address');
  }
  return published;
}

function readRemember(given: number | undefined): number {
  const value = given ?? 5000;
  if (Number.isSafeInteger(value) && value >= 0 && value <= 1_000_000) return value;
  throw badOption('remember', 'give a number of tokens from 0 to 1,000,000');
}

function bounded(option: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw badOption(option, `give seconds from ${least} to ${most}`);
}

function isSafeAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function systemClock(): number {
  return Math.floor(Date.now() / 1000);
}
