import { isRefused, type RefusedMethods } from '../policy/methods-allowed-per-environment.ts';
import type { CredentialType } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import { betterMethod } from './better-method.ts';
import { RegistryRefusal } from './refusal.ts';

/** What could never be used is not made; the refusal names the rule and what to use instead. */
export function requireAllowed(
  refused: RefusedMethods,
  identity: IdentityRecord,
  type: CredentialType,
): void {
  if (!isRefused(refused, identity.environment, type)) return;
  const rule = `methods-allowed-per-environment: no ${type} in ${identity.environment}.`;
  throw new RegistryRefusal('refused_by_policy', `${rule} ${betterMethod(type) ?? ''}`.trim(), {
    pointer: '/type',
  });
}
