import type { Access, DocumentInput, Identity } from '@countersign/admin-api';
import type { CredentialSpec } from './connect-proof.ts';

/** What `connect` sees to: one identity, one credential, one access. */
export interface ConnectPlan {
  readonly name: string;
  readonly kind: IdentityKind | undefined;
  readonly environment: Environment | undefined;
  readonly owner: string;
  readonly purpose: string | undefined;
  readonly justification: string;
  readonly api: { readonly id: string; readonly identifier: string; readonly name: string };
  readonly scopes: readonly string[];
  readonly credential: CredentialSpec;
  /** Such as `90d`: of what is made now. */
  readonly span: string;
}

/** What is there already, and is as asked for. */
export interface Present {
  readonly identity: Identity | undefined;
  readonly access: Access | undefined;
}

type IdentitySpec = Extract<DocumentInput, { kind: 'Identity' }>['spec'];
export type IdentityKind = IdentitySpec['kind'];
export type Environment = IdentitySpec['environment'];

const head = (name: string) => ({ apiVersion: 'countersign/v1', metadata: { name } }) as const;

/**
 * What is not there yet, as declared documents. The credential is always among them: one that exists under this name
 * is left alone, and its secret is not told again.
 */
export function connectDocuments(plan: ConnectPlan, present: Present): DocumentInput[] {
  const { name, span } = plan;
  const identity: DocumentInput = {
    ...head(name),
    kind: 'Identity',
    spec: {
      client_id: name,
      kind: plan.kind ?? 'service',
      environment: plan.environment ?? 'dev',
      purpose: plan.purpose ?? `Calls ${plan.api.name}`,
      owner: { person: plan.owner },
      expires_in: span,
    },
  };
  const credential: DocumentInput = {
    ...head(name),
    kind: 'Credential',
    spec: plan.credential,
  };
  const access: DocumentInput = {
    ...head(name),
    kind: 'Access',
    spec: {
      identity: name,
      resource_server: plan.api.identifier,
      scopes: [...plan.scopes],
      justification: plan.justification,
      expires_in: span,
    },
  };
  return [
    ...(present.identity === undefined ? [identity] : []),
    credential,
    ...(present.access === undefined ? [access] : []),
  ];
}
