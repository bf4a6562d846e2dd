// The authority over HTTPS.
import { type Client, TokenError } from '@countersign/client';
import { isJsonObject, type JsonObject, parseJsonObject } from '@countersign/protocol';
import {
  type Authority,
  AuthorityRefused,
  AuthorityUnreachable,
  type MintedJwtSvid,
  type MintedX509Svid,
  type Registration,
  type Served,
} from './authority.ts';

/** An answer of a thousand registrations with their bundles. */
const MOST_ANSWER_BYTES = 4_194_304;
const ANSWER_WITHIN_MS = 10_000;

/** @param issuer whose `/v1` is asked; `client` proves that it is this agent that asks */
export function httpAuthority(issuer: string, client: Pick<Client, 'fetch'>): Authority {
  const resource = `${issuer}/v1`;

  async function call(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<JsonObject> {
    const within = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const response = await client
      .fetch(
        `${resource}${path}`,
        {
          method,
          redirect: 'error',
          signal: signal === undefined ? within : AbortSignal.any([signal, within]),
          ...(body === undefined
            ? {}
            : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        },
        { resource, scope: 'svids:issue' },
      )
      .catch((error: unknown) => {
        throw failureOf(error);
      });
    const text = await bodyOf(response);
    if (response.ok) return requireObject(text);
    throw isSaidBy(response.status)
      ? new AuthorityRefused(`the authority answered ${response.status} ${problemOf(text)}`)
      : new AuthorityUnreachable(`the authority answered ${response.status}`);
  }

  return {
    served: async (signal) => readServed(await call('GET', '/svids', undefined, signal)),
    async jwtSvid({ id }, audience) {
      return readJwtSvid(await call('POST', '/svids/jwt', { workload: id, audience }));
    },
    async x509Svid({ id }, csr) {
      return readX509Svid(await call('POST', '/svids/x509', { workload: id, csr }));
    },
  };
}

/** A refusal of a token is one of everything; whatever else happened is a reason to ask again, not to withdraw. */
function failureOf(error: unknown): Error {
  if (error instanceof TokenError && error.code === 'refused')
    return new AuthorityRefused(`the authority refuses a token: ${error.error ?? ''}`);
  // What the client says of it is for whoever writes code.
  if (error instanceof TokenError && error.code === 'untrusted_certificate')
    return new AuthorityUnreachable(
      'the certificate of the authority is not one that is trusted here: name its CA with --ca-file or COUNTERSIGN_CA_FILE',
    );
  return new AuthorityUnreachable(`the authority does not answer: ${(error as Error).message}`);
}

/** A limit, a timeout and a server's own failure say nothing about what was asked. */
function isSaidBy(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

async function bodyOf(response: Response): Promise<string> {
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MOST_ANSWER_BYTES) throw new AuthorityUnreachable('its answer is too long');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    throw error instanceof AuthorityUnreachable ? error : new AuthorityUnreachable('its answer broke off');
  }
}

function requireObject(text: string): JsonObject {
  const read = parseJsonObject(text, { maxDepth: 16, maxBytes: MOST_ANSWER_BYTES });
  if (!read.ok) throw unintelligible();
  return read.value;
}

function problemOf(text: string): string {
  const read = parseJsonObject(text, { maxDepth: 8, maxBytes: 65_536 });
  const code = read.ok ? read.value['code'] : undefined;
  return typeof code === 'string' ? code : '';
}

function readServed(answer: JsonObject): Served {
  const {
    trust_domain: trustDomain,
    workloads,
    bundles,
    issuers,
    crl,
    crl_content: crlContent,
  } = answer as Record<string, unknown>;
  if (!isText(trustDomain) || !isJsonObject(bundles)) throw unintelligible();
  const jwtBundles = new Map<string, string>();
  const x509Bundles = new Map<string, readonly Uint8Array[]>();
  for (const [name, bundle] of Object.entries(bundles)) {
    if (!isJsonObject(bundle) || !isJsonObject(bundle['jwt'])) throw unintelligible();
    jwtBundles.set(name, JSON.stringify(bundle['jwt']));
    x509Bundles.set(name, certificates(bundle['x509']));
  }
  return {
    trustDomain,
    registrations: listOf(workloads).map(readRegistration),
    jwtBundles,
    x509Bundles,
    issuers: issuers === undefined ? undefined : certificates(issuers),
    crl: certificates(crl),
    crlContent: isText(crlContent) ? crlContent : '',
  };
}

function readRegistration(value: unknown): Registration {
  if (!isJsonObject(value)) throw unintelligible();
  const { id, spiffe_id: spiffeId, selectors, hint } = value as Record<string, unknown>;
  if (!isText(id) || !isText(spiffeId)) throw unintelligible();
  const list = listOf(selectors);
  // Nobody is nobody: a registration without selectors would be everybody's.
  if (list.length === 0 || !list.every(isText)) throw unintelligible();
  return { id, spiffeId, selectors: list, hint: isText(hint) ? hint : '' };
}

function readJwtSvid({ svid, expires_at: expiresAt }: JsonObject): MintedJwtSvid {
  if (!isText(svid)) throw unintelligible();
  return { svid, expiresAt: instantOf(expiresAt) };
}

function readX509Svid({ chain, expires_at: expiresAt }: JsonObject): MintedX509Svid {
  const read = certificates(chain);
  if (read.length === 0) throw unintelligible();
  return { chain: read, expiresAt: instantOf(expiresAt) };
}

function certificates(value: unknown): readonly Uint8Array[] {
  return listOf(value).map((each) => {
    if (!isText(each)) throw unintelligible();
    return Buffer.from(each, 'base64');
  });
}

function instantOf(value: unknown): number {
  const at = isText(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw unintelligible();
  return at;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unintelligible();
  return value;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function unintelligible(): AuthorityUnreachable {
  return new AuthorityUnreachable('its answer is not understood');
}
