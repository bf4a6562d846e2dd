// What a token in another's name may be: RFC 8693 §5; docs/decisions/0072-policy-is-asked-about-the-subject-too.md.
import { TOKEN_EXCHANGE } from '@countersign/protocol';
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import type { Delegation, HeldBySubject, IssueTerms } from '../tokens/authorization.ts';
import { type Rechecked, requireNoShorter } from './recheck.ts';
import { type AskedHow, type PolicyDeps, requirePolicy } from './require-policy.ts';

/**
 * RFC 9449 §7, RFC 8705 §3: a bound token is worth nothing to who does not prove the same, here as anywhere. What comes of it is
 * bound to the same: by an exchange no token becomes one that whoever finds it may use.
 */
export function requireHolder({ boundTo = [] }: Delegation, confirmation: IssueTerms['confirmation']): void {
  const proved: { readonly jkt?: string; readonly 'x5t#S256'?: string } = confirmation ?? {};
  for (const { jkt, 'x5t#S256': x5t, unknown } of boundTo) {
    const holds = (jkt ?? x5t) !== undefined && jkt === proved.jkt && x5t === proved['x5t#S256'];
    if (!holds || unknown.length > 0) throw new Refusal('subject_token_bound');
  }
}

/** The proof that an access demands: the client's own, that of whoever it acts for, or that by which it may. */
export function bindingOf(
  { access }: EffectiveAccess,
  delegation: Delegation | undefined,
): 'dpop' | 'mtls' | 'any' | undefined {
  const demanding = [access, delegation?.bySubject?.held.access, delegation?.standing?.[0]?.access];
  return demanding.find((each) => each?.conditions?.binding !== undefined)?.conditions?.binding;
}

/**
 * For how many seconds the token may live, of those that its client is allowed: what was exchanged is not outlived by what it was
 * exchanged for, and the subject gets nothing in this way that it would not get itself.
 */
export function withinDelegation(
  deps: PolicyDeps,
  client: AuthenticatedClient,
  allowed: number,
  delegation: Delegation | undefined,
  how: AskedHow,
  now: number,
): number {
  if (delegation === undefined) return allowed;
  const left = delegation.expiresAt - Math.floor(now / 1000);
  if (left < 1) throw new Refusal('lifetime_exhausted');
  requireStanding(deps, client, delegation, how, now);
  const { bySubject } = delegation;
  return Math.min(
    allowed,
    left,
    bySubject === undefined ? left : allowedToSubject(deps, bySubject, how, now),
  );
}

/** Throws `Refusal` when what the token was exchanged for, or what its subject may have, is no longer what it was. */
export async function recheckDelegation(
  deps: PolicyDeps,
  client: AuthenticatedClient,
  { recheck }: Delegation,
  { how, lifetime }: Rechecked,
  now: number,
): Promise<void> {
  const again = await recheck?.();
  if (again === undefined) return;
  requireStanding(deps, client, again, how, now);
  const { bySubject } = again;
  if (bySubject !== undefined) requireNoShorter(allowedToSubject(deps, bySubject, how, now), lifetime);
}

/**
 * The access by which the client may exchange tokens for this API has to be one that it would get a token by, from here and now:
 * docs/decisions/0063 and 0077.
 */
function requireStanding(
  deps: PolicyDeps,
  client: AuthenticatedClient,
  { standing = [] }: Pick<Delegation, 'standing'>,
  how: AskedHow,
  now: number,
): void {
  let refused: Refusal | undefined;
  for (const held of standing) {
    try {
      allowedBy(deps, client, held, how, now, 'standing_access');
      return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused ??= error;
    }
  }
  if (refused !== undefined) throw refused;
}

/** As if the subject itself had asked for it, from where and with what proof its client does. */
function allowedToSubject(
  deps: PolicyDeps,
  { facts, credential, held }: HeldBySubject,
  how: AskedHow,
  now: number,
): number {
  const subject = { facts, credential, method: TOKEN_EXCHANGE };
  return allowedBy(deps, subject, held, how, now, 'subject_access');
}

/** As `requirePolicy` says it of one access, which a refusal names as what it is here. */
function allowedBy(
  deps: PolicyDeps,
  client: AuthenticatedClient,
  held: EffectiveAccess,
  how: AskedHow,
  now: number,
  name: 'standing_access' | 'subject_access',
): number {
  try {
    return requirePolicy(deps, client, held, how, now);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.reason, undefined, { ...error.evidence, [name]: held.access.id });
  }
}
