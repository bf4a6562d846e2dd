// Token endpoint: RFC 6749 §3.2. The story of one token; every step lives in a file of its own.
//
// On the wire: invalid_request, invalid_client, unsupported_grant_type, invalid_grant, invalid_scope, invalid_target,
// invalid_authorization_details, invalid_dpop_proof, use_dpop_nonce, access_denied, temporarily_unavailable (429, 503),
// server_error (500, a bug of ours).
import { ACE_MEDIA_TYPE } from '@countersign/cose';
import { type Form, TOKEN_TYPE } from '@countersign/protocol';
import { AuditUnavailable } from '../../audit/sink.ts';
import type { Clock } from '../../clock.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { StatusLists } from '../../cutoff/status-list.ts';
import type { Endpoint } from '../../http/route.ts';
import {
  type AccessAsked,
  type EffectiveAccess,
  effectiveAccess,
  limitOf,
} from '../../registry/effective-access.ts';
import { StorageError } from '../../storage/errors.ts';
import {
  type AuthenticateDeps,
  authenticate,
  type Claim,
  claimedBy,
  present,
  refuseUnproved,
} from '../client-auth/authenticate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import type { Grant, GrantTable } from '../grants/grant.ts';
import { isSignIn } from '../grants/sign-in.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { confirm } from '../sender-constraint/confirm.ts';
import type { SenderConstraint } from '../sender-constraint/constraint.ts';
import type { Authorization, IssueTerms } from '../tokens/authorization.ts';
import { type IssueDeps, issue } from '../tokens/issue.ts';
import { NotStanding } from '../tokens/not-standing.ts';
import { MAX_TOKEN_BYTES, type OwnTokenReader } from '../tokens/own-token.ts';
import { AceForm, readAceForm } from './ace-form.ts';
import { aceTokenResponse, inEncodingOf } from './ace-response.ts';
import type { Attempt } from './attempt.ts';
import { type Budgets, inItsShare } from './budgets.ts';
import { bindingOf, recheckDelegation, requireHolder, withinDelegation } from './delegated.ts';
import { errorResponse, serverErrorResponse, tooManyFailuresResponse } from './error-response.ts';
import { readJsonBody } from './json-body.ts';
import type { IssuanceRecord } from './issuance-record.ts';
import { type OtherBodies, readForm } from './read-form.ts';
import { recheck } from './recheck.ts';
import { type SignInDeps, signIn } from './sign-in.ts';
import { type PolicyDeps, requirePolicy } from './require-policy.ts';
import { answerHeaders, tokenResponse } from './token-response.ts';

export interface TokenEndpointDeps extends AuthenticateDeps, IssueDeps, PolicyDeps {
  readonly grants: GrantTable;
  readonly constraints: readonly SenderConstraint[];
  readonly record: IssuanceRecord;
  /** Undefined: nobody is limited. */
  readonly budgets?: Budgets | undefined;
  readonly statusLists: Pick<StatusLists, 'placeOf'>;
  readonly ownTokens: Pick<OwnTokenReader, 'issued'>;
  /** Undefined: no people here. */
  readonly signIn?: SignInDeps | undefined;
  readonly clock: Clock;
  /** Tells the operator of a bug; given the error and the request's id. */
  readonly report: (error: unknown, requestId: string) => void;
}

const OTHER_BODIES: OtherBodies = new Map([
  ['application/json', readJsonBody],
  [ACE_MEDIA_TYPE, readAceForm],
]);

/** Only what has to be waited for is awaited: the signature, the log, and what is not at hand. */
export function createTokenEndpoint(deps: TokenEndpointDeps): Endpoint {
  return async (request) => {
    const attempt: Attempt = { request, at: deps.clock.now() };
    try {
      const form = readForm(request, OTHER_BODIES);
      attempt.scopeAsked = form.get('scope');
      attempt.resourceAsked = form.get('resource');
      const claim = present(deps.methods, request, form);
      if (deps.signIn !== undefined && isSignIn(form)) {
        if (claim !== undefined) throw new Refusal('sign_in_with_client_proof');
        return await signIn(deps.signIn, form, attempt);
      }
      attempt.claimed = claimedBy(claim, form);
      attempt.method = claim?.method.name;
      const grant = requireGrant(deps.grants, form);
      const proving = identify(deps, grant, claim, attempt, form);
      const client = (attempt.client = proving instanceof Promise ? await proving : proving);
      deps.budgets?.spend(attempt, client);
      // RFC 9396 §5: an unknown type MUST be refused, and all are unknown here.
      if (form.get('authorization_details') !== undefined)
        throw new Refusal('authorization_details_unsupported');
      const asking = grant.authorize(form, client, attempt.at);
      const asked = asking instanceof Promise ? await asking : asking;
      const held = (attempt.held = requireAccess(client, asked, attempt.at));
      if (asked.issuedTokenType !== undefined) requireFormat(asked, held);
      const pop = requireProfile(form, held);
      const binding = bindingOf(held, asked.delegation);
      const { clientId } = client.facts.identity;
      const confirming = confirm(
        deps.constraints,
        request,
        held.resourceServer,
        attempt.at,
        clientId,
        binding,
      );
      const confirmation = confirming instanceof Promise ? await confirming : confirming;
      if (asked.delegation !== undefined) {
        attempt.delegation = asked.delegation;
        requireHolder(asked.delegation, confirmation);
      }
      const now = Math.floor(attempt.at / 1000);
      const how = { source: request.source, confirmation, pop };
      const allowed = requirePolicy(deps, client, held, how, attempt.at);
      const lifetime = withinDelegation(deps, client, allowed, asked.delegation, how, attempt.at);
      const status = wantsStatus(held) ? await requireStatus(deps, client) : undefined;
      const token = issue(
        deps,
        idsOf(client),
        held,
        lifetime,
        now,
        termsOf(asked, confirmation, status, form),
      );
      const accessToken = requireReadable(await token.signed);
      const changed = recheck(deps, client, held, { how, lifetime: token.expiresIn }, attempt.at);
      if (changed !== undefined) await changed;
      if (client.recheck !== undefined) await client.recheck();
      if (asked.delegation !== undefined)
        await recheckDelegation(
          deps,
          client,
          asked.delegation,
          { how, lifetime: token.expiresIn },
          attempt.at,
        );
      await deps.record.issued(attempt, client, held, token);
      deps.record.delivered(attempt, held, token);
      deps.ownTokens.issued(accessToken);
      if (token.cwt !== undefined) return aceTokenResponse(await token.cwt, token);
      return tokenResponse(accessToken, token, asked, answerHeaders(deps, confirmation, attempt.at));
    } catch (error) {
      return refuse(deps, attempt, await keepingProof(attempt, error));
    }
  };
}

/** Why it is refused, once the proof that was shown for it is durably used: no event of a token carries it. */
async function keepingProof({ client }: Attempt, error: unknown): Promise<unknown> {
  try {
    await client?.spent?.keep();
    return error;
  } catch (unavailable) {
    return unavailable;
  }
}

function requireGrant(grants: GrantTable, form: Form): Grant {
  const type = form.get('grant_type');
  if (type === undefined) throw new Refusal('grant_type_missing');
  const grant = grants.get(type);
  if (grant === undefined) throw new Refusal('grant_type_unknown');
  return grant;
}

/** RFC 6749 §3.2.1; a grant whose assertion says who asks needs no other proof (RFC 7521 §6.2). */
function identify(
  deps: TokenEndpointDeps,
  grant: Grant,
  claim: Claim | undefined,
  attempt: Attempt,
  form: Form,
): AuthenticatedClient | Promise<AuthenticatedClient> {
  if (claim !== undefined) return authenticate(deps, claim, attempt.at);
  const { request, at } = attempt;
  const identifying = grant.identify?.(request, form, at);
  if (identifying === undefined) return refuseUnproved(deps, request, form, at);
  attempt.method = grant.type;
  return identifying;
}

function requireAccess(client: AuthenticatedClient, asked: AccessAsked, now: number): EffectiveAccess {
  const result = effectiveAccess(client.facts, asked, now, limitOf(client.credential));
  if (!result.ok) throw new Refusal(result.fault);
  return result;
}

/** RFC 8693 §3: an opaque token is an access token and no JWT. */
function requireFormat({ issuedTokenType }: Authorization, { resourceServer }: EffectiveAccess): void {
  if (issuedTokenType === TOKEN_TYPE.jwt && resourceServer.token.format === 'opaque') {
    throw new Refusal('token_type_unsupported');
  }
}

/** RFC 9200 §5.8.1 and §5.8.3: CBOR is asked for in CBOR, and everything else is not. True where it is CBOR. */
function requireProfile(form: Form, { resourceServer }: EffectiveAccess): boolean {
  const isCwt = resourceServer.token.format === 'cwt';
  if (form instanceof AceForm === isCwt) return isCwt;
  throw new Refusal(isCwt ? 'cwt_by_form' : 'ace_profile_missing');
}

/** A token that no verifier reads could not be introspected or revoked either. */
function requireReadable(accessToken: string): string {
  if (accessToken.length > MAX_TOKEN_BYTES) throw new Refusal('token_too_large');
  return accessToken;
}

function termsOf(
  { delegation }: Authorization,
  confirmation: IssueTerms['confirmation'],
  status: IssueTerms['status'],
  form: Form,
): IssueTerms | undefined {
  if (form instanceof AceForm) return { confirmation, delegation, ace: form.terms };
  if (delegation === undefined && confirmation === undefined && status === undefined) return undefined;
  return { confirmation, delegation, status };
}

/** An opaque token is asked about, and needs no list. */
function wantsStatus({ resourceServer: { token } }: EffectiveAccess): boolean {
  return token.statusList === true && token.format === 'jwt';
}

/** Where the token's status will be. Nowhere when credential or identity have been stopped a moment ago. */
async function requireStatus(
  deps: Pick<TokenEndpointDeps, 'statusLists'>,
  client: AuthenticatedClient,
): Promise<NonNullable<IssueTerms['status']>> {
  const place = await deps.statusLists.placeOf(client.credential.id);
  if (place === undefined) throw new Refusal('identity_not_active');
  return place;
}

function idsOf(client: AuthenticatedClient): { clientId: string; credentialId: string } {
  return { clientId: client.facts.identity.clientId, credentialId: client.credential.id };
}

/** The answer to whatever was thrown on the way, and its record. */
export async function refuse(deps: RefuseDeps, attempt: Attempt, error: unknown): Promise<HttpResponse> {
  return inEncodingOf(attempt.request, await refusalOf(deps, attempt, error));
}

type RefuseDeps = Pick<TokenEndpointDeps, 'report' | 'budgets'> & {
  readonly record: Pick<IssuanceRecord, 'refused'>;
};

async function refusalOf(deps: RefuseDeps, attempt: Attempt, thrown: unknown): Promise<HttpResponse> {
  const error = inItsShare(attempt, thrown);
  const reason = reasonOf(error);
  if (error instanceof Refusal) {
    attempt.evidence = error.evidence;
    attempt.voucher = error.voucher;
  }
  if (error instanceof NotStanding) attempt.proved = error.proved;
  if (reason === undefined) {
    deps.report(error, attempt.request.id);
    return serverErrorResponse();
  }
  await deps.record.refused(attempt, reason);
  const wait = deps.budgets?.failed(attempt, reason) ?? 0;
  if (wait > 0) return tooManyFailuresResponse(wait);
  return errorResponse(reason, error instanceof Refusal ? error.headers : undefined);
}

function reasonOf(error: unknown): RefusalReason | undefined {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof AuditUnavailable) return 'audit_unavailable';
  if (error instanceof StorageError && error.fault === 'unavailable') return 'storage_unavailable';
  return undefined;
}
