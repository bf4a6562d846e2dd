// One request at the token endpoint (RFC 6749 §3.2), as far as it has got.
import type { HttpRequest } from '../../http/request.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { UnmetCondition } from '../../policy/access-conditions.ts';
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { Delegation } from '../tokens/authorization.ts';
import type { Voucher } from '../refusal.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';

/** What is known of a request so far: the audit log is told all of it, the caller none. */
export interface Attempt {
  readonly request: HttpRequest;
  /** Epoch ms. */
  readonly at: number;
  scopeAsked?: string | undefined;
  resourceAsked?: string | undefined;
  claimed?: string | undefined;
  method?: string | undefined;
  client?: AuthenticatedClient | undefined;
  /** Which running copy of the client asks, once a token is issued to it. */
  instance?: string | undefined;
  held?: EffectiveAccess | undefined;
  /** Of the conditions of that access, one that did not hold for who would have stood for an API by it. */
  unmet?: UnmetCondition | undefined;
  /** In whose name, when that is not the client's own. */
  delegation?: Delegation | undefined;
  /** What a refusal brings beside its reason. */
  evidence?: Readonly<Record<string, unknown>> | undefined;
  /** Who signed for a caller that is refused all the same. */
  voucher?: Voucher | undefined;
  /** Who has proved itself and is refused all the same. */
  proved?: IdentityFacts | undefined;
}
