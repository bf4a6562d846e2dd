import type { DocumentInput } from '@countersign/admin-api';

/** What `connect` makes: one identity, one client secret, one access. */
export interface ConnectPlan {
  readonly name: string;
  readonly kind: IdentityKind;
  readonly environment: Environment;
  readonly owner: string;
  readonly purpose: string;
  readonly justification: string;
  /** Resource identifier. */
  readonly api: string;
  readonly scopes: readonly string[];
  /** RFC 3339; of all three. */
  readonly expiresAt: string;
}

type IdentitySpec = Extract<DocumentInput, { kind: 'Identity' }>['spec'];
export type IdentityKind = IdentitySpec['kind'];
export type Environment = IdentitySpec['environment'];

const head = (name: string) => ({ apiVersion: 'countersign/v1', metadata: { name } }) as const;

/** The same as declared documents: their plan is the dry run. */
export function connectDocuments(plan: ConnectPlan): DocumentInput[] {
  const { name, kind, environment, purpose, expiresAt } = plan;
  return [
    {
      ...head(name),
      kind: 'Identity',
      spec: { kind, environment, purpose, owner: { person: plan.owner }, expires_at: expiresAt },
    },
    {
      ...head(name),
      kind: 'Credential',
      spec: { identity: name, type: 'client_secret', expires_at: expiresAt },
    },
    {
      ...head(name),
      kind: 'Access',
      spec: {
        identity: name,
        resource_server: plan.api,
        scopes: [...plan.scopes],
        justification: plan.justification,
        expires_at: expiresAt,
      },
    },
  ];
}
