import { createApiKey } from '../../registry/api-key.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { type AskedClientKey, createClientKey, holdsClientKey } from '../../registry/client-key.ts';
import { createClientSecret } from '../../registry/client-secret.ts';
import { createFederatedCredential, holdsRule } from '../../registry/federated-credential.ts';
import { createRegisteredCertificate, holdsCertificate } from '../../registry/registered-certificate.ts';
import {
  type AskedTlsClient,
  createTlsClient,
  isTlsClient,
  trustChanged,
} from '../../registry/tls-client.ts';
import { clientKeyView } from '../../registry/credential-view.ts';
import type { CredentialMaterial, CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import { resourceServerOf, sameMembers, trustedIssuerOf } from './referenced-record.ts';

/** A proof as a document declares it, by its type. To make a type declarable: its line here, and its row below. */
interface Proofs {
  readonly client_secret: WithSecret;
  readonly api_key: WithSecret & {
    /** Id or identifier. */
    readonly resourceServer: string | undefined;
    readonly scopes: readonly string[] | undefined;
  };
  readonly private_key_jwt: AskedClientKey;
  readonly tls_client_auth: AskedTlsClient;
  /** PEM, not checked yet. */
  readonly self_signed_tls_client_auth: { readonly certificate: string };
  readonly federated: {
    /** Id or issuer. */
    readonly trustedIssuer: string;
    readonly conditions: Readonly<Record<string, string>>;
  };
}

interface WithSecret {
  /** One that exists outside; undefined: one is made when there is none yet. */
  readonly secret: string | undefined;
}

export type DeclarableType = keyof Proofs;
export type DeclaredProof = { [T in DeclarableType]: { readonly type: T } & Proofs[T] }[DeclarableType];

export interface Making {
  readonly application: Application;
  readonly stores: Stores;
  readonly tell: Tell;
  readonly identity: IdentityRecord;
  readonly common: { readonly label: string; readonly expiresAt: number | undefined };
}

/** What documents do with one type of credential. */
interface Row<Proof, Material> {
  /** Makes it; a secret that was made, to be shown once. */
  create(making: Making, proof: Proof): Promise<string | undefined>;
  /** Whether the record, which is of this type, is the proof declared. Another takes its place where it is not. */
  holds(
    making: Pick<Making, 'application' | 'stores'>,
    record: CredentialRecord,
    proof: Proof,
    material: Material,
  ): boolean | Promise<boolean>;
  /** What the record holds instead, where it is the same proof with another trust. Absent: nothing of it changes. */
  changed?(record: CredentialRecord, proof: Proof, now: number): CredentialMaterial | undefined;
  /** Its own members of a document's `spec`, which `holds` when they are read again. No secret is among them. */
  spec(material: Material, stores: Exporting): object | Promise<object>;
}

type Exporting = Pick<Stores, 'resourceServers' | 'trustedIssuers'>;

type MaterialOf<T extends DeclarableType> = Extract<CredentialMaterial, { type: T }>;

const ROWS: { readonly [T in DeclarableType]: Row<Proofs[T], MaterialOf<T>> } = {
  client_secret: {
    create: async ({ application, stores, tell, identity, common }, { secret }) => {
      const made = await createClientSecret(application.deps, stores, tell, identity, { ...common, secret });
      return secret === undefined ? made.secret : undefined;
    },
    holds: ({ application }, _, { secret }, { digest }) =>
      secret === undefined || digest === application.deps.digest(secret),
    spec: () => ({}),
  },
  api_key: {
    create: async ({ application, stores, tell, identity, common }, { secret, resourceServer, scopes }) => {
      const made = await createApiKey(application.deps, stores, tell, identity, {
        ...common,
        secret,
        resourceServer:
          resourceServer === undefined ? undefined : await resourceServerOf(stores, resourceServer),
        scopes,
      });
      return secret === undefined ? made.secret : undefined;
    },
    holds: async ({ application, stores }, _, { secret, resourceServer, scopes }, material) => {
      const server =
        resourceServer === undefined ? undefined : await resourceServerOf(stores, resourceServer);
      return (
        (secret === undefined || material.digest === application.deps.digest(secret)) &&
        material.resourceServerId === server?.id &&
        (scopes === undefined ? material.scopes === undefined : sameMembers(scopes, material.scopes ?? []))
      );
    },
    spec: async ({ resourceServerId: id, scopes }, stores) => ({
      ...(id === undefined
        ? {}
        : { resource_server: (await stores.resourceServers.byId(id))?.identifier ?? id }),
      ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    }),
  },
  private_key_jwt: {
    create: async ({ application, stores, tell, identity, common }, proof) => {
      await createClientKey(application.deps, stores, tell, identity, { ...common, ...proof });
      return undefined;
    },
    holds: (_, record, proof) => holdsClientKey(record, proof),
    spec: clientKeyView,
  },
  tls_client_auth: {
    create: async ({ application, stores, tell, identity, common }, proof) => {
      await createTlsClient(application.deps, stores, tell, identity, { ...common, ...proof });
      return undefined;
    },
    holds: (_, record, proof) => isTlsClient(record, proof),
    changed(record, { ca, crl }, now) {
      const { material } = record;
      if (material.type !== 'tls_client_auth' || (material.ca === ca && material.crl === crl))
        return undefined;
      return trustChanged(record, { ca, crl: crl ?? null }, now);
    },
    spec: ({ field, value, ca, crl }) => ({ [field]: value, ca, ...(crl === undefined ? {} : { crl }) }),
  },
  self_signed_tls_client_auth: {
    create: async ({ application, stores, tell, identity, common }, proof) => {
      await createRegisteredCertificate(application.deps, stores, tell, identity, { ...common, ...proof });
      return undefined;
    },
    holds: (_, record, { certificate }) => holdsCertificate(record, certificate),
    spec: ({ certificate }) => ({ certificate }),
  },
  federated: {
    create: async ({ application, stores, tell, identity, common }, { trustedIssuer, conditions }) => {
      await createFederatedCredential(application.deps, stores, tell, identity, {
        ...common,
        trustedIssuer: await trustedIssuerOf(stores, trustedIssuer),
        conditions,
      });
      return undefined;
    },
    holds: async ({ stores }, record, { trustedIssuer, conditions }) =>
      holdsRule(record, await trustedIssuerOf(stores, trustedIssuer), conditions),
    spec: async ({ trustedIssuer: id, conditions }, stores) => ({
      trusted_issuer: (await stores.trustedIssuers.byId(id))?.issuer ?? id,
      conditions: { ...conditions },
    }),
  },
};

export function isDeclarable({ material }: CredentialRecord): boolean {
  return Object.hasOwn(ROWS, material.type);
}

export function createDeclared(making: Making, proof: DeclaredProof): Promise<string | undefined> {
  return rowOf(proof.type).create(making, proof);
}

export async function holdsDeclared(
  making: Pick<Making, 'application' | 'stores'>,
  record: CredentialRecord,
  proof: DeclaredProof,
): Promise<boolean> {
  const { material } = record;
  return material.type === proof.type && (await rowOf(proof.type).holds(making, record, proof, material));
}

export function changedAsDeclared(
  record: CredentialRecord,
  proof: DeclaredProof,
  now: number,
): CredentialMaterial | undefined {
  return rowOf(proof.type).changed?.(record, proof, now);
}

/** For a record that is declarable. */
export async function specOf({ material }: CredentialRecord, stores: Exporting): Promise<object> {
  return await rowOf(material.type as DeclarableType).spec(material, stores);
}

/** Each row was checked against its own type above; from here on they are all alike. */
function rowOf(type: DeclarableType): Row<DeclaredProof, CredentialMaterial> {
  return ROWS[type] as unknown as Row<DeclaredProof, CredentialMaterial>;
}
