// A person's sign-in becomes a token for the admin API: RFC 8693 §2.2.1, RFC 9068 §2.2; docs/decisions/0037-how-people-sign-in.md.
import { type Form, TOKEN_TYPE } from '@countersign/protocol';
import { canonicalJson } from '@countersign/tlog';
import { personMembers } from '../../audit/change.ts';
import type { AuditLog } from '../../audit/log.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { RandomBytes } from '../../ids.ts';
import type { Keystore } from '../../keys/keystore.ts';
import { personClaims, personPrincipal } from '../../registry/signed-in-person.ts';
import { type PersonAsking, type PersonDeps, readPerson } from '../grants/sign-in.ts';
import { Refusal } from '../refusal.ts';
import { confirm } from '../sender-constraint/confirm.ts';
import type { SenderConstraint } from '../sender-constraint/constraint.ts';
import { JTI_BYTES } from '../tokens/opaque-token.ts';
import type { Attempt } from './attempt.ts';
import { answerHeaders } from './token-response.ts';

export interface SignInDeps extends PersonDeps {
  readonly issuer: string;
  readonly keystore: Pick<Keystore, 'sign'>;
  readonly constraints: readonly SenderConstraint[];
  readonly log: Pick<AuditLog, 'append'>;
  readonly random: RandomBytes;
  readonly node: string;
  /** Seconds that no token lives beyond. */
  readonly lifetimes: { readonly maximum: number };
}

/** The story of one sign-in. Throws `Refusal`. The ID token is used up last, so that who is asked for another proof may come again. */
export async function signIn(deps: SignInDeps, form: Form, attempt: Attempt): Promise<HttpResponse> {
  const { request, at } = attempt;
  attempt.method = 'sign_in';
  const asking = await readPerson(deps, form, at);
  const holder = personPrincipal(asking.person.handle);
  const confirmation = await confirm(deps.constraints, request, { senderConstraint: 'dpop' }, at, holder);
  await asking.useUp();
  const token = await issue(deps, asking, confirmation, at);
  await asking.recheck();
  await record(deps, attempt, asking, token.jti);
  const body = {
    access_token: token.accessToken,
    issued_token_type: TOKEN_TYPE.accessToken,
    token_type: 'DPoP',
    expires_in: token.lifetime,
    scope: asking.scopes.join(' '),
  };
  return { status: 200, headers: answerHeaders(deps, confirmation, at), body: JSON.stringify(body) };
}

interface PersonToken {
  readonly accessToken: string;
  readonly jti: string;
  /** Seconds. */
  readonly lifetime: number;
}

async function issue(
  deps: SignInDeps,
  { client, person, scopes, sessionLifetime }: PersonAsking,
  cnf: unknown,
  at: number,
): Promise<PersonToken> {
  const lifetime = Math.min(sessionLifetime, deps.lifetimes.maximum);
  if (lifetime <= 0) throw new Refusal('sign_in_not_offered');
  const jti = Buffer.from(deps.random(JTI_BYTES)).toString('base64url');
  const iat = Math.floor(at / 1000);
  const payload = {
    iss: deps.issuer,
    aud: deps.adminResource,
    client_id: client,
    scope: scopes.join(' '),
    iat,
    exp: iat + lifetime,
    jti,
    ...personClaims(person),
    cnf,
  };
  const accessToken = await deps.keystore.sign('ES256', 'at+jwt', JSON.stringify(payload));
  return { accessToken, jti, lifetime };
}

/** Durable before the token leaves. Rejects `AuditUnavailable`. */
async function record(
  deps: SignInDeps,
  { request, at }: Attempt,
  { client, person, scopes }: PersonAsking,
  jti: string,
): Promise<void> {
  const { roles, teams, trustedIssuer } = person;
  await deps.log.append({
    // A token has one event, so its jti names both.
    id: jti,
    at: new Date(at).toISOString(),
    type: 'person.signed_in',
    outcome: 'success',
    request_id: request.id,
    identity: personPrincipal(person.handle),
    resource: deps.adminResource,
    scopes_held: scopes.join(' '),
    jti,
    method: client,
    source: request.source,
    ...personMembers(person),
    node: deps.node,
    detail: canonicalJson({ roles, teams, trusted_issuer: trustedIssuer }),
  });
}
