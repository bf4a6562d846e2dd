import type { Actor } from '../../audit/change.ts';
import type { RefusedMethods } from '../../policy/methods-allowed-per-environment.ts';
import type { ApprovalDeps } from '../../registry/approval/request.ts';
import type { SecretDeps } from '../../registry/client-secret.ts';
import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import type { Ceiling } from '../../registry/own-access.ts';
import type { ResourceServerDeps } from '../../registry/resource-server.ts';
import type { TrustDomainDeps } from '../../registry/spiffe/trust-domain.ts';
import type { WebhookDeps } from '../../registry/webhook/webhook.ts';
import type { TrustedIssuerDeps } from '../../registry/trusted-issuer.ts';

export type ApplicationDeps = SecretDeps &
  ApprovalDeps &
  ResourceServerDeps &
  TrustedIssuerDeps &
  OwnerDeps &
  WebhookDeps &
  TrustDomainDeps & {
    /** Types of credentials that are not made, by environment. */
    readonly refusedMethods: RefusedMethods;
  };

/** One application of documents: what every object of it shares. */
export interface Application {
  readonly deps: ApplicationDeps;
  readonly actor: Actor;
  readonly ceiling: Ceiling;
  /** Throws unless a person with the role admin applies, or the authority itself. */
  readonly requireAdminPerson: () => void;
  /** One instant for all, so that equal spans give equal ends. */
  readonly now: number;
}
