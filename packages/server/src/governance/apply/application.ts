import type { Actor } from '../../audit/change.ts';
import type { CredentialDeps } from '../../registry/credential.ts';
import type { Ceiling } from '../../registry/own-access.ts';
import type { ResourceServerDeps } from '../../registry/resource-server.ts';
import type { TrustedIssuerDeps } from '../../registry/trusted-issuer.ts';

/** One application of documents: what every object of it shares. */
export interface Application {
  readonly deps: CredentialDeps & ResourceServerDeps & TrustedIssuerDeps;
  readonly actor: Actor;
  readonly ceiling: Ceiling;
  /** One instant for all, so that equal spans give equal ends. */
  readonly now: number;
}
