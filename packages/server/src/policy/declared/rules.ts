import { type BindingForSensitiveScopes, bindingForSensitiveScopes } from './binding-for-sensitive-scopes.ts';
import { type CredentialAge, credentialAge } from './credential-age.ts';
import { type Inactivity, inactivity } from './inactivity.ts';
import { type LifetimeCeiling, lifetimeCeiling } from './lifetime-ceiling.ts';
import { type MethodsAllowed, methodsAllowed } from './methods-allowed.ts';
import { type NoCrossEnvironment, noCrossEnvironment } from './no-cross-environment.ts';
import { type OwnerRequired, ownerRequired } from './owner-required.ts';
import type { PolicyRule } from './policy-rule.ts';
import { type ReviewCadence, reviewCadence } from './review-cadence.ts';
import { type SeparationOfDuties, separationOfDuties } from './separation-of-duties.ts';
import {
  type ThirdPartyNeedsNetworkAndEnd,
  thirdPartyNeedsNetworkAndEnd,
} from './third-party-needs-network-and-end.ts';

/** What each rule is told by the policy that chooses it. */
export interface RuleParameters {
  readonly owner_required: OwnerRequired;
  readonly lifetime_ceiling: LifetimeCeiling;
  readonly methods_allowed: MethodsAllowed;
  readonly credential_age: CredentialAge;
  readonly binding_for_sensitive_scopes: BindingForSensitiveScopes;
  readonly no_cross_environment: NoCrossEnvironment;
  readonly separation_of_duties: SeparationOfDuties;
  readonly third_party_needs_network_and_end: ThirdPartyNeedsNetworkAndEnd;
  readonly inactivity: Inactivity;
  readonly review_cadence: ReviewCadence;
}

export type DeclaredRuleId = keyof RuleParameters;

/** To add one: its file, its line here, its parameters in the admin contract, its page in docs/parts. */
export const DECLARED_RULES: { readonly [id in DeclaredRuleId]: PolicyRule<RuleParameters[id]> } = {
  owner_required: ownerRequired,
  lifetime_ceiling: lifetimeCeiling,
  methods_allowed: methodsAllowed,
  credential_age: credentialAge,
  binding_for_sensitive_scopes: bindingForSensitiveScopes,
  no_cross_environment: noCrossEnvironment,
  separation_of_duties: separationOfDuties,
  third_party_needs_network_and_end: thirdPartyNeedsNetworkAndEnd,
  inactivity,
  review_cadence: reviewCadence,
};
