// What a follower of the cut-off feed says of itself (docs/operate/cut-offs.md); its proof is a token of RFC 6750 §2.1.
import { CUTOFF_KINDS, type CutoffKind, type Form } from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import type { CutoffFollowers } from '../../cutoff/followers.ts';
import { callerInstance, type HttpRequest, singleHeader } from '../../http/request.ts';
import type { KnownResourceServers } from '../../registry/known-resource-servers.ts';
import type { OwnTokenReader } from '../tokens/own-token.ts';
import { STANDING_SCOPES } from '../../registry/stands-for.ts';
import { liveScopes, type TokenStateDeps } from '../tokens/token-state.ts';

export interface CutoffFollowerDeps extends TokenStateDeps {
  readonly followers: Pick<CutoffFollowers, 'heard'>;
  readonly resourceServers: Pick<KnownResourceServers, 'idOf'>;
  readonly ownTokens: Pick<OwnTokenReader, 'read'>;
  readonly clock: Clock;
}

/** What it says, as far as it is well-formed. */
export interface FollowerWords {
  /** Identifiers of the resource servers that it verifies for. */
  readonly resources: readonly string[];
  readonly instance: string;
  readonly staleAfter: number;
  readonly onStale: string;
  readonly attempts: readonly {
    readonly kind: CutoffKind;
    readonly id: string;
    readonly notBefore: number;
    readonly count: number;
  }[];
}

export const MOST_RESOURCES = 10;
export const MOST_ATTEMPTS = 20;
/** RFC 3986 §2.3 in ids; the longest are those that the admin API takes. */
const ATTEMPTS = /^([a-z]+):([A-Za-z0-9_.~-]{1,200}):(0|[1-9][0-9]{0,11}):([1-9][0-9]{0,11})$/;
const STALE_AFTER = /^[1-9][0-9]{0,3}$/;
const ON_STALE = /^(?:refuse|introspect|accept_younger_than:[1-9][0-9]{0,5})$/;
const TOKEN = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Undefined for a follower that says nothing of itself; a text for what is wrong. */
export function readFollower(request: HttpRequest, form: Form): FollowerWords | string | undefined {
  const resources = form.all('resource');
  const instance = callerInstance(request);
  if (resources.length === 0 || instance === undefined) return undefined;
  if (resources.length > MOST_RESOURCES) return `resource is there ${MOST_RESOURCES} times at most`;
  const staleAfter = form.get('stale_after') ?? '';
  if (!STALE_AFTER.test(staleAfter)) return 'stale_after is a number of seconds from 1 to 9999';
  const onStale = form.get('on_stale') ?? '';
  if (!ON_STALE.test(onStale)) return 'on_stale is refuse, introspect or accept_younger_than:SECONDS';
  const told = form.all('attempts');
  if (told.length > MOST_ATTEMPTS) return `attempts is there ${MOST_ATTEMPTS} times at most`;
  const attempts: FollowerWords['attempts'][number][] = [];
  for (const text of told) {
    const [, kind, id, notBefore, count] = ATTEMPTS.exec(text) ?? [];
    if (id === undefined || !isKind(kind)) return 'attempts is KIND:ID:NOT_BEFORE:COUNT';
    attempts.push({ kind, id, notBefore: Number(notBefore), count: Number(count) });
  }
  return { resources: [...new Set(resources)], instance, staleAfter: Number(staleAfter), onStale, attempts };
}

function isKind(kind: string | undefined): kind is CutoffKind {
  return (CUTOFF_KINDS as readonly unknown[]).includes(kind);
}

/**
 * Takes note of a follower: proven for the resource servers whose tokens it stands for, unproven for the others. Resolves to
 * the id of one for which it is proven.
 */
export async function noteFollower(
  deps: CutoffFollowerDeps,
  request: HttpRequest,
  words: FollowerWords,
  after: number | undefined,
  source: string,
): Promise<string | undefined> {
  let provenAs: string | undefined;
  const proven = await provenFor(deps, request);
  const { instance, staleAfter, onStale, attempts } = words;
  for (const resource of words.resources) {
    const resourceServerId = await deps.resourceServers.idOf(resource);
    if (resourceServerId === undefined) continue;
    const word = { resourceServerId, instance, staleAfter, onStale, attempts, source, after };
    const isProven = proven.includes(resource);
    if (isProven) provenAs ??= resourceServerId;
    await deps.followers.heard({ ...word, proven: isProven });
  }
  return provenAs;
}

/**
 * The audience of the token that came along, when its holder stands for it. A token that is bound to a key proves nothing
 * here: nobody looks at its proof. No token is ever a reason to keep the feed from somebody.
 */
async function provenFor(deps: CutoffFollowerDeps, request: HttpRequest): Promise<readonly string[]> {
  const token = TOKEN.exec(singleHeader(request, 'authorization') ?? '')?.[1];
  if (token === undefined) return NOBODY;
  const own = await deps.ownTokens.read(token);
  if (own === undefined || own.claims.cnf !== undefined) return NOBODY;
  const scopes = await liveScopes(deps, own, deps.clock.now());
  return scopes.includes(STANDING_SCOPES.introspect) ? own.claims.aud : NOBODY;
}

const NOBODY: readonly string[] = [];
