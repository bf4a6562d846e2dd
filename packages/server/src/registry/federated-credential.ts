import { newId } from '../ids.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import { narrowEnd, type Tell } from './change-rules.ts';
import { type AgeDeps, latestEnd, requireOpen, requireRoom } from './credential.ts';
import { RegistryRefusal } from './refusal.ts';
import { type Conditions, missingPins, subjectKey } from './federation-rule.ts';
import { credentialView } from './views.ts';

/** Rules that one subject of one issuer may have: each is compared when a token of it comes. */
export const MOST_RULES_OF_SUBJECT = 50;
export const MOST_CONDITIONS = 20;

export interface NewFederatedCredential {
  readonly label: string | undefined;
  /** Narrowed to what is allowed, which is also the default. */
  readonly expiresAt: number | undefined;
  readonly trustedIssuer: TrustedIssuerRecord;
  readonly conditions: Conditions;
}

/** A rule: tokens of that issuer which meet every condition are this identity's. */
export async function createFederatedCredential(
  deps: AgeDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewFederatedCredential,
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  requireOpen(identity);
  await requireRoom(stores, identity);
  const { trustedIssuer, conditions } = asked;
  requirePins(trustedIssuer, conditions);
  const key = subjectKey(trustedIssuer, (pin) => conditions[pin] ?? '');
  await requireRoomForSubject(stores, key);
  const latest = latestEnd(deps, identity, 'federated', now);
  const record: CredentialRecord = {
    id: newId('crd', deps.random),
    identityId: identity.id,
    label: asked.label ?? `federated ${trustedIssuer.name}`,
    state: 'active',
    material: { type: 'federated', trustedIssuer: trustedIssuer.id, subjectKey: key, conditions },
    notBeforeAt: now,
    expiresAt: narrowEnd(now, asked.expiresAt ?? latest, latest),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.credentials.insert(record);
  tell({ type: 'credential.created', resource: record.id, after: credentialView(record, identity.clientId) });
  return record;
}

/** Whether it is this rule; the order of its conditions says nothing. */
export function holdsRule(
  { material }: CredentialRecord,
  { id }: TrustedIssuerRecord,
  conditions: Conditions,
): boolean {
  if (material.type !== 'federated' || material.trustedIssuer !== id) return false;
  const claims = Object.keys(conditions);
  return (
    claims.length === Object.keys(material.conditions).length &&
    claims.every(
      (claim) =>
        Object.hasOwn(material.conditions, claim) && material.conditions[claim] === conditions[claim],
    )
  );
}

/** A rule on names alone would be somebody else's on the day that the name is given out again. */
function requirePins(trustedIssuer: TrustedIssuerRecord, conditions: Conditions): void {
  const missing = missingPins(trustedIssuer.kind, conditions);
  if (missing.length > 0) {
    throw new RegistryRefusal(
      'refused_by_policy',
      `a rule for ${trustedIssuer.kind} has to say ${missing.join(' and ')}: other claims can change hands`,
      { pointer: '/conditions' },
    );
  }
  if (Object.keys(conditions).length > MOST_CONDITIONS) {
    throw new RegistryRefusal('limit_reached', `a rule has at most ${MOST_CONDITIONS} conditions`, {
      pointer: '/conditions',
    });
  }
}

async function requireRoomForSubject(stores: Pick<Stores, 'credentials'>, key: string): Promise<void> {
  const rules = await stores.credentials.bySubjectKey(key);
  if (rules.filter(({ state }) => state !== 'revoked').length < MOST_RULES_OF_SUBJECT) return;
  throw new RegistryRefusal('limit_reached', `a subject has at most ${MOST_RULES_OF_SUBJECT} rules`, {
    pointer: '/conditions',
  });
}
