import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import type { Tell } from './change-rules.ts';
import { type AgeDeps, addCredential, type NewCredential } from './new-credential.ts';
import type { PolicyStores } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import { type Conditions, missingPins, subjectKey } from './federation-rule.ts';

/** Rules that one subject of one issuer may have: each is compared when a token of it comes. */
export const MOST_RULES_OF_SUBJECT = 50;
export const MOST_CONDITIONS = 20;

export interface NewFederatedCredential extends NewCredential {
  readonly trustedIssuer: TrustedIssuerRecord;
  readonly conditions: Conditions;
}

/** A rule: tokens of that issuer which meet every condition are this identity's. */
export async function createFederatedCredential(
  deps: AgeDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewFederatedCredential,
): Promise<CredentialRecord> {
  const { trustedIssuer, conditions } = asked;
  requirePins(trustedIssuer, conditions);
  const key = subjectKey(trustedIssuer, (pin) => conditions[pin] ?? '');
  await requireRoomForSubject(stores, key);
  return await addCredential(deps, stores, tell, identity, asked, {
    material: { type: 'federated', trustedIssuer: trustedIssuer.id, subjectKey: key, conditions },
    name: trustedIssuer.name,
  });
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
  if (trustedIssuer.kind === 'people') {
    throw new RegistryRefusal(
      'refused_by_policy',
      'it vouches for people: no machine proves itself by its tokens',
      {
        pointer: '/trusted_issuer',
      },
    );
  }
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
  if (rules.filter(({ state }) => state !== 'revoked' && state !== 'expired').length < MOST_RULES_OF_SUBJECT)
    return;
  throw new RegistryRefusal('limit_reached', `a subject has at most ${MOST_RULES_OF_SUBJECT} rules`, {
    pointer: '/conditions',
  });
}
