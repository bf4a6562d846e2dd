// What a person brings to sign in, and who that makes it: RFC 8693 §2.1 (subject_token_type id_token), OpenID Connect Core §3.1.3.7.
import { type Form, TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import { type PeopleDeps, personFault, rolesOf, teamsOf } from '../../registry/people.ts';
import { activePeopleIssuer } from '../../registry/people-issuer.ts';
import {
  isHandle,
  isSignInClient,
  personPrincipal,
  type SignedInPerson,
  type SignInClient,
} from '../../registry/signed-in-person.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import { markedUntil, type UsedOnceStore } from '../../storage/used-once.ts';
import { type IdToken, readIdToken } from '../federation/id-token.ts';
import type { IssuerKeysDeps } from '../federation/issuer-signature.ts';
import { Refusal } from '../refusal.ts';

export interface PersonDeps extends IssuerKeysDeps {
  /** The only audience of what is issued. */
  readonly adminResource: string;
  readonly people: PeopleDeps;
  /** What somebody with these roles may do at the admin API. */
  readonly scopesOfRoles: (roles: readonly string[]) => readonly string[];
  readonly usedOnce: Pick<UsedOnceStore, 'claim'>;
}

/** A person whose ID token is good, and what it may have. */
export interface PersonAsking {
  readonly client: SignInClient;
  readonly person: SignedInPerson;
  readonly scopes: readonly string[];
  /** Seconds that its issuer lets it stay signed in. */
  readonly sessionLifetime: number;
  /** Uses the ID token up. Throws `Refusal` when it was used before. */
  readonly useUp: () => Promise<void>;
  /** Throws `Refusal` when nobody vouches for the person any more, or it has left. */
  readonly recheck: () => Promise<void>;
}

/** Whether the form is a person's: a public client of this authority exchanges something. Read for every request. */
export function isSignIn(form: Form): boolean {
  return form.get('grant_type') === TOKEN_EXCHANGE && isSignInClient(form.get('client_id'));
}

/** Who asks with this form at `now` (epoch ms). Throws `Refusal`. */
export async function readPerson(deps: PersonDeps, form: Form, now: number): Promise<PersonAsking> {
  const asked = readRequest(form, deps.adminResource);
  const trustedIssuer = await requireIssuer(deps);
  const of = clientOf(trustedIssuer, asked.client);
  const idToken = await readIdToken(deps, asked.idToken, { ...asked, ...of }, now);
  const person = requirePerson(trustedIssuer, idToken);
  await requireStanding(deps, person);
  return {
    client: asked.client,
    person,
    scopes: scopesFor(deps, person, asked.scopes),
    sessionLifetime: trustedIssuer.people?.sessionLifetime ?? 0,
    useUp: () => requireFirstUse(deps, idToken, personPrincipal(person.handle)),
    recheck: () => requireStanding(deps, person),
  };
}

interface SignInRequest {
  readonly client: SignInClient;
  readonly idToken: string;
  readonly nonceVerifier: string;
  readonly scopes: readonly string[] | undefined;
}

/** RFC 7636 §4.1, whose verifier it is made like. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

function readRequest(form: Form, adminResource: string): SignInRequest {
  const client = form.get('client_id');
  const idToken = form.get('subject_token');
  const nonceVerifier = form.get('nonce_verifier');
  const wanted = form.get('requested_token_type') ?? TOKEN_TYPE.accessToken;
  const whole =
    isSignInClient(client) &&
    idToken !== undefined &&
    form.get('subject_token_type') === TOKEN_TYPE.idToken &&
    wanted === TOKEN_TYPE.accessToken &&
    form.get('actor_token') === undefined &&
    form.get('authorization_details') === undefined &&
    nonceVerifier !== undefined &&
    VERIFIER.test(nonceVerifier);
  if (!whole) throw new Refusal('sign_in_malformed');
  // RFC 8707 §2: what a person gets opens the admin API, and nothing else there is.
  const targets = [...form.all('resource'), ...form.all('audience')];
  if (targets.some((target) => target !== adminResource)) throw new Refusal('resource_unknown');
  return { client, idToken, nonceVerifier, scopes: form.get('scope')?.split(' ') };
}

async function requireIssuer({ people }: PersonDeps): Promise<TrustedIssuerRecord> {
  const trustedIssuer = await activePeopleIssuer(people.trustedIssuers, people.builtIn);
  if (trustedIssuer === undefined) throw new Refusal('sign_in_not_offered');
  return trustedIssuer;
}

function clientOf(
  trustedIssuer: TrustedIssuerRecord,
  client: SignInClient,
): { readonly trustedIssuer: TrustedIssuerRecord; readonly clientId: string } {
  const { people } = trustedIssuer;
  if (people === undefined) throw new Refusal('sign_in_not_offered');
  const own = client === 'countersign-console' ? people.consoleClientId : undefined;
  return { trustedIssuer, clientId: own ?? people.clientId };
}

/** Who it is, and what that person is here: by its groups, at this moment. */
function requirePerson(trustedIssuer: TrustedIssuerRecord, idToken: IdToken): SignedInPerson {
  const { handle, groups, subject, authTime } = idToken;
  const evidence = { trusted_issuer: trustedIssuer.id, subject };
  if (!isHandle(handle)) throw new Refusal('sign_in_no_handle', undefined, evidence);
  const roles = rolesOf(trustedIssuer, groups);
  if (roles.length === 0) {
    throw new Refusal('sign_in_no_role', undefined, { ...evidence, groups: groups.slice(0, 20) });
  }
  return {
    issuer: trustedIssuer.issuer,
    subject,
    handle,
    signedInAt: authTime * 1000,
    trustedIssuer: trustedIssuer.id,
    roles,
    teams: teamsOf(trustedIssuer, groups),
  };
}

async function requireStanding({ people }: PersonDeps, person: SignedInPerson): Promise<void> {
  const fault = await personFault(people, person);
  if (fault === 'person_left')
    throw new Refusal('sign_in_person_left', undefined, { subject: person.subject });
  if (fault !== undefined) throw new Refusal('sign_in_not_offered');
}

function scopesFor(
  deps: PersonDeps,
  { roles }: SignedInPerson,
  asked: readonly string[] | undefined,
): readonly string[] {
  const held = deps.scopesOfRoles(roles);
  const scopes = asked === undefined ? held : held.filter((scope) => asked.includes(scope));
  // RFC 6749 §3.3.
  if (scopes.length === 0) throw new Refusal('scope_not_held');
  return scopes;
}

/** Once on every node: the same nonce is the same sign-in. An unreachable store rejects. */
async function requireFirstUse(
  deps: PersonDeps,
  { replayId, endsAt }: IdToken,
  holder: string,
): Promise<void> {
  if (await deps.usedOnce.claim('sign-in', replayId, markedUntil(endsAt + 1), holder)) return;
  throw new Refusal('sign_in_token_refused', undefined, { fault: 'replayed' });
}
