import { parsePublicJwk, type Issuer, type ServerMetadata } from '@countersign/protocol';
import { discoverServer } from '@countersign/protocol/discovery';
import type { AuthorityAddress } from '../connection/settings.ts';
import { failureOf } from '../exit-code.ts';
import { type Finding, fail, ok, warn } from './check.ts';

/** What the checks share: a way to the authority, and the clock (epoch ms). */
export interface Reach {
  readonly authority: AuthorityAddress;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}

const PATIENCE_MS = 5000;
/** Verifiers allow five seconds; beyond a minute nothing works. */
const SKEW_WARN_S = 5;
const SKEW_FAIL_S = 60;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return fail('node', version, 'Install Node 24; 20.19 is the oldest that works.');
  }
  if (major % 2 === 1)
    return warn('node', `${version}, not a long-term line`, 'Install an even version such as 24.');
  return major === 20
    ? warn('node', `${version}, past its end of life`, 'Install Node 24.')
    : ok('node', version);
}

/** Reachability, TLS and clocks, from one answer. */
export async function checkReach({ authority, fetch, now }: Reach): Promise<readonly Finding[]> {
  const { issuer, caFile } = authority;
  let response: Response;
  const started = now();
  try {
    response = await fetch(`${issuer}/healthz`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'error',
    });
    await response.arrayBuffer();
  } catch (error) {
    const failure = failureOf(error);
    return [fail('reachable', `${issuer}: ${failure.message}`, failure.fix)];
  }
  const health = response.ok
    ? ok('reachable', `${issuer} answered in ${now() - started} ms`)
    : fail(
        'reachable',
        `${issuer}/healthz answered ${response.status}`,
        'Is that an authority? See its log.',
      );
  const tls = issuer.startsWith('https:')
    ? ok(
        'tls',
        caFile === undefined ? 'certificate trusted by the usual CAs' : `certificate trusted by ${caFile}`,
      )
    : warn('tls', 'none: secrets and tokens are readable on the way', 'Only for a laptop; leave --http out.');
  return [health, tls, checkClock(response, started, now())];
}

function checkClock(response: Response, before: number, after: number): Finding {
  const theirs = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(theirs)) return warn('clock', 'the authority sends no Date');
  // Date has whole seconds: half of one is its mean error.
  const skew = Math.abs((before + after) / 2 - (theirs + 500)) / 1000;
  const detail = `${skew < 1 ? 'under 1' : Math.round(skew)} s apart`;
  const fix = 'Let both machines follow NTP.';
  if (skew > SKEW_FAIL_S) return fail('clock', detail, fix);
  return skew > SKEW_WARN_S ? warn('clock', detail, fix) : ok('clock', detail);
}

/** RFC 8414 §3.3: the metadata names the very issuer that was asked for. */
export async function checkMetadata({
  authority,
  fetch,
}: Reach): Promise<{ readonly finding: Finding; readonly metadata?: ServerMetadata }> {
  try {
    const metadata = await discoverServer(authority.issuer as Issuer, { fetch });
    return { finding: ok('issuer', `metadata names ${metadata.issuer}`), metadata };
  } catch (error) {
    return {
      finding: fail(
        'issuer',
        (error as Error).message,
        'Name the issuer exactly as its ready file and tokens do.',
      ),
    };
  }
}

export async function checkJwks({ fetch }: Reach, { jwks_uri }: ServerMetadata): Promise<Finding> {
  const read = await fetchJson(fetch, jwks_uri);
  if ('fault' in read) return fail('keys', `${jwks_uri}: ${read.fault}`);
  const keys = (read.value as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0) return fail('keys', `${jwks_uri} has no key`);
  const usable = keys.filter((key) => parsePublicJwk(key).ok);
  const algs = [...new Set(keys.map((key) => String((key as { alg?: unknown } | null)?.alg)))].join(' ');
  return usable.length === keys.length
    ? ok('keys', `${keys.length} published (${algs})`)
    : warn('keys', `${keys.length - usable.length} of ${keys.length} cannot be used by our verifier`);
}

/** Each part of readiness by its name. */
export async function checkReadiness({ authority, fetch }: Reach): Promise<readonly Finding[]> {
  const url = `${authority.issuer}/readyz`;
  const read = await fetchJson(fetch, url);
  if ('fault' in read) return [fail('ready', `${url}: ${read.fault}`, 'See the log of the authority.')];
  const parts = partsOf(read.value);
  const broken = parts.filter(([, works]) => !works);
  if (broken.length === 0 && read.status === 200) {
    return [ok('ready', parts.map(([name]) => name).join(', ') || 'yes')];
  }
  return broken.length === 0
    ? [fail('ready', `${url} answered ${read.status}`, 'It may be starting or draining; see its log.')]
    : broken.map(([name]) => fail('ready', `${name} does not work`, 'See the log of the authority.'));
}

function partsOf(value: unknown): readonly (readonly [name: string, works: boolean])[] {
  const checks = (value as { readonly checks?: unknown } | null)?.checks;
  if (typeof checks !== 'object' || checks === null) return [];
  return Object.entries(checks).map(([name, works]) => [name, works === true]);
}

async function fetchJson(
  send: typeof fetch,
  url: string,
): Promise<{ readonly status: number; readonly value: unknown } | { readonly fault: string }> {
  try {
    const response = await send(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
    return { status: response.status, value: await response.json() };
  } catch (error) {
    return { fault: failureOf(error).message };
  }
}
