import type { LimitTable } from '../policy/limit-table.ts';
import type { CredentialType } from '../storage/credentials.ts';

const DAY_MS = 86_400_000;

/** How long a credential of each type may live at most where the deployment says nothing else. */
const DEFAULT_MS: { readonly [type in CredentialType]: number } = {
  client_secret: 90 * DAY_MS,
  api_key: 90 * DAY_MS,
  private_key_jwt: 365 * DAY_MS,
  tls_client_auth: 365 * DAY_MS,
  self_signed_tls_client_auth: 365 * DAY_MS,
  federated: 3653 * DAY_MS,
  spiffe: 3653 * DAY_MS,
};

/** Milliseconds that a credential of this type may live in this environment at most. */
export type MaximumAge = (type: CredentialType, environment: string) => number;

/** What the deployment says for a pair stands in place of the default, be it less or more. */
export function maximumAgeOf(limits: LimitTable): MaximumAge {
  return (type, environment) => {
    const seconds = limits.get(environment)?.get(type);
    return seconds === undefined ? DEFAULT_MS[type] : seconds * 1000;
  };
}
