// JWT-SVID profile of the SPIFFE Workload API (§6): FetchJWTSVID, FetchJWTBundles, ValidateJWTSVID.
import {
  isJwtSvidSignedBy,
  jwtSvidMismatch,
  type JwtSvid as ParsedJwtSvid,
  parseJwkSet,
  parseJwtSvid,
  parseSpiffeId,
} from '@countersign/protocol';
import type { Peer } from '../attestation/attest.ts';
import type { Served } from '../authority/authority.ts';
import type { Followed } from '../authority/followed.ts';
import type { Method } from '../grpc/server.ts';
import { GrpcError } from '../grpc/status.ts';
import type { Json } from '../protobuf/struct.ts';
import type { JwtSvids } from '../svid/jwt-svids.ts';
import { entitledOf, noIdentity, statusOf } from './entitled.ts';
import {
  jwtBundlesResponse,
  jwtSvidResponse,
  readJwtSvidRequest,
  readValidateJwtSvidRequest,
  validateJwtSvidResponse,
} from './messages.ts';
import { pathOf, taking } from './methods.ts';
import { stream } from './stream.ts';

export interface JwtMethodDeps {
  readonly followed: Followed;
  readonly jwtSvids: JwtSvids;
  /** Epoch ms. */
  readonly now: () => number;
}

/** One SVID may be for several, and each of them could show it to the others. */
export const MOST_AUDIENCES = 10;
const MOST_AUDIENCE_CHARACTERS = 1024;

export function jwtMethods(deps: JwtMethodDeps): readonly (readonly [string, Method<Peer>])[] {
  return [
    [pathOf('FetchJWTSVID'), fetchJwtSvid(deps)],
    [pathOf('FetchJWTBundles'), fetchJwtBundles(deps)],
    [pathOf('ValidateJWTSVID'), validateJwtSvid(deps)],
  ];
}

function fetchJwtSvid({ followed, jwtSvids }: JwtMethodDeps): Method<Peer> {
  return taking(readJwtSvidRequest, async (call, { audience, spiffeId }) => {
    requireAudience(audience);
    if (spiffeId !== '' && !parseSpiffeId(spiffeId)?.path) {
      throw new GrpcError('invalidArgument', 'spiffe_id is not the SPIFFE ID of a workload');
    }
    const { registrations } = await entitledOf(followed, call.peer);
    const asked = registrations.filter((each) => spiffeId === '' || each.spiffeId === spiffeId);
    if (asked.length === 0) throw noIdentity();
    const svids = await Promise.all(
      asked.map(async (each) => ({
        spiffeId: each.spiffeId,
        svid: await jwtSvids.get(each, audience).catch((error: unknown) => {
          throw statusOf(error);
        }),
        hint: each.hint,
      })),
    );
    // What was withdrawn while it was made does not leave.
    const { registrations: still } = await entitledOf(followed, call.peer);
    if (!asked.every((each) => still.some(({ id }) => id === each.id))) throw noIdentity();
    await call.send(jwtSvidResponse(svids));
  });
}

function requireAudience(audience: readonly string[]): void {
  if (audience.length === 0 || audience.includes(''))
    throw new GrpcError('invalidArgument', 'audience must be specified');
  if (audience.length > MOST_AUDIENCES || audience.some((each) => each.length > MOST_AUDIENCE_CHARACTERS)) {
    throw new GrpcError(
      'invalidArgument',
      `at most ${MOST_AUDIENCES} audiences of ${MOST_AUDIENCE_CHARACTERS} characters`,
    );
  }
}

function fetchJwtBundles({ followed }: JwtMethodDeps): Method<Peer> {
  return async (call) => {
    await stream(call, followed, async () => {
      const { served } = await entitledOf(followed, call.peer);
      const bundles = [...served.jwtBundles].map(
        ([name, text]) => [`spiffe://${name}`, Buffer.from(text)] as const,
      );
      return jwtBundlesResponse(new Map(bundles));
    });
  };
}

function validateJwtSvid({ followed, now }: JwtMethodDeps): Method<Peer> {
  return taking(readValidateJwtSvidRequest, async (call, { audience, svid }) => {
    if (audience === '') throw new GrpcError('invalidArgument', 'audience must be specified');
    if (svid === '') throw new GrpcError('invalidArgument', 'svid must be specified');
    const { served } = await entitledOf(followed, call.peer);
    const read = parseJwtSvid(svid);
    if (!read.ok) throw new GrpcError('invalidArgument', `the JWT-SVID is not one: ${read.fault}`);
    if (!isSignedInItsDomain(served, read))
      throw new GrpcError('invalidArgument', 'the JWT-SVID was not signed in its trust domain');
    const mismatch = jwtSvidMismatch(read, audience, Math.floor(now() / 1000));
    if (mismatch !== undefined)
      throw new GrpcError('invalidArgument', `the JWT-SVID does not hold: ${mismatch}`);
    await call.send(validateJwtSvidResponse(read.id.text, claimsOf(served, read)));
  });
}

/** By keys of the trust domain that the subject names, and of no other. */
function isSignedInItsDomain(served: Served, svid: ParsedJwtSvid): boolean {
  const bundle = served.jwtBundles.get(svid.id.trustDomain);
  const keys = bundle === undefined ? undefined : parseJwkSet(bundle);
  return keys?.ok === true && isJwtSvidSignedBy(svid, keys.keys);
}

/** Of another trust domain only what every JWT-SVID has: what else it says is not known to mean the same here. */
const REGISTERED: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']);

function claimsOf(
  served: Served,
  { id, claims, audience }: ParsedJwtSvid,
): { readonly [name: string]: Json } {
  const shown = Object.entries(claims).filter(
    ([name]) => id.trustDomain === served.trustDomain || REGISTERED.has(name),
  );
  // A list, also of one: readers of this answer expect it.
  return { ...(Object.fromEntries(shown) as Record<string, Json>), aud: audience };
}
