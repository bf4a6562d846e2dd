import { approvalRuleView } from '../../registry/approval/view.ts';
import type { ApprovalRuleRecord } from '../../storage/approval-rules.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';
import type { WebhookRecord } from '../../storage/webhooks.ts';
import { peopleView } from '../../registry/trusted-issuer-view.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import { policyView } from '../../registry/policy/view.ts';
import { rfc3339 } from '../../registry/views.ts';
import { trustDomainView } from '../../registry/spiffe/trust-domain.ts';
import { isDeclarable, specOf } from './credential-types.ts';
import { everyOne } from './every-one.ts';

/** A document as the contract describes it. */
export interface ExportedDocument {
  readonly apiVersion: 'countersign/v1';
  readonly kind:
    | 'ResourceServer'
    | 'TrustedIssuer'
    | 'Person'
    | 'Team'
    | 'Identity'
    | 'Credential'
    | 'Access'
    | 'ApprovalRule'
    | 'Policy'
    | 'PolicyException'
    | 'Webhook'
    | 'TrustDomain'
    | 'Workload';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

type Reading = Pick<
  Stores,
  | 'identities'
  | 'resourceServers'
  | 'trustedIssuers'
  | 'people'
  | 'teams'
  | 'credentials'
  | 'access'
  | 'approvalRules'
  | 'policies'
  | 'policyExceptions'
  | 'webhooks'
  | 'trustDomains'
  | 'workloads'
>;
const LIVE = new Set<IdentityRecord['state']>(['draft', 'active', 'suspended']);
const MOST_NAME_CHARS = 200;

/**
 * Everything that is alive and may be declared, as documents that change nothing when they are applied here. Secrets
 * are not in them: elsewhere new ones would be made. What is built in is left out; so is what waits for people or ends.
 */
export async function exportDocuments(stores: Reading, now: number): Promise<readonly ExportedDocument[]> {
  const resourceServers = new Map<string, ResourceServerRecord>();
  const identities = new Map<string, IdentityRecord>();
  for await (const each of everyOne((page) => stores.resourceServers.list({}, page))) {
    resourceServers.set(each.id, each);
  }
  const trustedIssuers = new Map<string, TrustedIssuerRecord>();
  for await (const each of everyOne((page) => stores.trustedIssuers.list({}, page))) {
    trustedIssuers.set(each.id, each);
  }
  for await (const each of everyOne((page) => stores.identities.list({}, page))) {
    if (!each.builtIn && LIVE.has(each.state)) identities.set(each.id, each);
  }
  return [
    ...[...resourceServers.values()].filter((each) => !each.builtIn).map(resourceServerDocument),
    ...[...trustedIssuers.values()].map(trustedIssuerDocument),
    ...(await directoryDocuments(stores)),
    ...[...identities.values()].map(identityDocument),
    ...(await credentialDocuments(stores, identities, now)),
    ...(await accessDocuments(stores, identities, resourceServers)),
    ...(await stores.approvalRules.active()).map(approvalRuleDocument),
    ...(await policyDocuments(stores, identities, now)),
    ...(await stores.webhooks.live()).map(webhookDocument),
    ...(await trustDomainDocuments(stores)),
    ...(await workloadDocuments(stores, identities, now)),
  ];
}

function resourceServerDocument(record: ResourceServerRecord): ExportedDocument {
  const { format, lifetime, signingAlg, typ, statusList } = record.token;
  return documentOf('ResourceServer', record.name, {
    identifier: record.identifier,
    scopes: record.scopes.map(({ name, description, sensitivity }) => ({
      name,
      ...(description === '' ? {} : { description }),
      sensitivity,
    })),
    token: {
      format,
      ...(lifetime === undefined ? {} : { lifetime }),
      signing_alg: signingAlg,
      typ,
      ...(statusList === undefined ? {} : { status_list: statusList }),
    },
    sender_constraint: record.senderConstraint,
  });
}

function trustedIssuerDocument(record: TrustedIssuerRecord): ExportedDocument {
  const { keys, ca, audience } = record;
  return documentOf('TrustedIssuer', record.name, {
    issuer: record.issuer,
    kind: record.kind,
    ...(keys.from === 'jwks' ? { jwks: keys.jwks } : {}),
    ...(keys.from === 'jwks_uri' ? { jwks_uri: keys.uri } : {}),
    ...(ca === undefined ? {} : { ca }),
    algorithms: [...record.algorithms],
    ...(audience === undefined ? {} : { audience }),
    max_token_age: record.maxTokenAge,
    single_use: record.singleUse,
    ...(record.people === undefined ? {} : { people: peopleView(record.people) }),
  });
}

async function directoryDocuments(stores: Reading): Promise<readonly ExportedDocument[]> {
  const documents: ExportedDocument[] = [];
  for await (const each of everyOne((page) => stores.people.list({}, page))) {
    const { handle, name, email, externalId, status, managerHandle } = each;
    const spec = {
      ...(name === handle ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      ...(externalId === undefined ? {} : { external_id: externalId }),
      ...(status === 'active' ? {} : { status }),
      ...(managerHandle === undefined ? {} : { manager: managerHandle }),
    };
    documents.push(documentOf('Person', handle, spec));
  }
  for await (const { name, members, lead, channel } of everyOne((page) => stores.teams.list({}, page))) {
    const spec = {
      members: [...members],
      ...(lead === undefined ? {} : { lead }),
      ...(channel === undefined ? {} : { channel }),
    };
    documents.push(documentOf('Team', name, spec));
  }
  return documents;
}

function identityDocument(record: IdentityRecord): ExportedDocument {
  const { person, backup, team } = record.owner;
  return documentOf('Identity', record.clientId, {
    ...(record.name === record.clientId ? {} : { name: record.name }),
    kind: record.kind,
    environment: record.environment,
    purpose: record.purpose,
    owner: { person, ...(backup === undefined ? {} : { backup }), ...(team === undefined ? {} : { team }) },
    sensitivity: record.sensitivity,
    cadence: record.cadence,
    ...(record.state === 'active' ? {} : { state: record.state }),
    expires_at: rfc3339(record.expiresAt),
  });
}

/** One document per label: of two with the same one the newest is what a document with this label is about. */
async function credentialDocuments(
  stores: Reading,
  identities: ReadonlyMap<string, IdentityRecord>,
  now: number,
): Promise<readonly ExportedDocument[]> {
  const documents = new Map<string, ExportedDocument>();
  for await (const record of everyOne((page) => stores.credentials.list({ state: 'active' }, page))) {
    const identity = identities.get(record.identityId);
    if (identity === undefined || record.expiresAt <= now || !isDeclarable(record)) continue;
    documents.set(
      JSON.stringify([identity.id, record.label]),
      documentOf('Credential', record.label, {
        identity: identity.clientId,
        type: record.material.type,
        ...(await specOf(record, stores)),
        expires_at: rfc3339(record.expiresAt),
      }),
    );
  }
  return [...documents.values()];
}

async function accessDocuments(
  stores: Reading,
  identities: ReadonlyMap<string, IdentityRecord>,
  resourceServers: ReadonlyMap<string, ResourceServerRecord>,
): Promise<readonly ExportedDocument[]> {
  const documents: ExportedDocument[] = [];
  for await (const record of everyOne((page) => stores.access.list({ state: 'active' }, page))) {
    const identity = identities.get(record.identityId);
    const resourceServer = resourceServers.get(record.resourceServerId);
    if (identity === undefined || resourceServer === undefined) continue;
    const name = `${identity.clientId} to ${resourceServer.name}`.slice(0, MOST_NAME_CHARS).trimEnd();
    documents.push(
      documentOf('Access', name, {
        identity: identity.clientId,
        resource_server: resourceServer.identifier,
        scopes: [...record.scopes],
        justification: record.justification,
        ...(record.tokenLifetime === undefined ? {} : { token_lifetime: record.tokenLifetime }),
        ...(record.conditions === undefined ? {} : { conditions: record.conditions }),
        expires_at: rfc3339(record.expiresAt),
      }),
    );
  }
  return documents;
}

function approvalRuleDocument(record: ApprovalRuleRecord): ExportedDocument {
  const { name, subject, match, steps, owner_may_approve } = approvalRuleView(record);
  return documentOf('ApprovalRule', name, { subject, match, steps, owner_may_approve });
}

async function policyDocuments(
  stores: Reading,
  identities: ReadonlyMap<string, IdentityRecord>,
  now: number,
): Promise<readonly ExportedDocument[]> {
  const policies = await stores.policies.active();
  const names = new Map(policies.map(({ id, name }) => [id, name]));
  const documents = policies.map((record) => {
    const { name, rule, parameters, mode, match, tests } = policyView(record);
    return documentOf('Policy', name, { rule, parameters, mode, match, tests });
  });
  for await (const record of everyOne((page) => stores.policyExceptions.list({}, page))) {
    const policy = names.get(record.policyId);
    const identity = identities.get(record.identityId)?.clientId;
    if (policy === undefined || identity === undefined || record.expiresAt <= now) continue;
    const name = `${identity} from ${policy}`.slice(0, MOST_NAME_CHARS).trimEnd();
    const { reason, expiresAt } = record;
    const spec = { policy, identity, reason, expires_at: rfc3339(expiresAt) };
    documents.push(documentOf('PolicyException', name, spec));
  }
  return documents;
}

function webhookDocument({ name, url, events, description, state }: WebhookRecord): ExportedDocument {
  return documentOf('Webhook', name, {
    url,
    events: [...events],
    ...(description === undefined ? {} : { description }),
    ...(state === 'disabled' ? { state } : {}),
  });
}

async function trustDomainDocuments(stores: Reading): Promise<readonly ExportedDocument[]> {
  const documents: ExportedDocument[] = [];
  for await (const record of everyOne((page) => stores.trustDomains.list(page))) {
    const { trust_domain, name, bundle, bundle_endpoint, endpoint_spiffe_id } = trustDomainView(record);
    const spec = {
      trust_domain,
      ...(name === null ? {} : { name }),
      ...(bundle === null ? {} : { bundle }),
      ...(bundle_endpoint === null ? {} : { bundle_endpoint }),
      ...(endpoint_spiffe_id === null ? {} : { endpoint_spiffe_id }),
    };
    documents.push(documentOf('TrustDomain', trust_domain.slice(0, MOST_NAME_CHARS), spec));
  }
  return documents;
}

async function workloadDocuments(
  stores: Reading,
  identities: ReadonlyMap<string, IdentityRecord>,
  now: number,
): Promise<readonly ExportedDocument[]> {
  const documents: ExportedDocument[] = [];
  for await (const record of everyOne((page) => stores.workloads.list({}, page))) {
    const agent = identities.get(record.agentId)?.clientId;
    const identity = identities.get(record.identityId)?.clientId;
    if (agent === undefined || identity === undefined || record.expiresAt <= now) continue;
    const spec = {
      agent,
      identity,
      selectors: [...record.selectors],
      ...(record.hint === undefined ? {} : { hint: record.hint }),
      expires_at: rfc3339(record.expiresAt),
    };
    documents.push(
      documentOf('Workload', `${identity} at ${agent}`.slice(0, MOST_NAME_CHARS).trimEnd(), spec),
    );
  }
  return documents;
}

function documentOf(
  kind: ExportedDocument['kind'],
  name: string,
  spec: ExportedDocument['spec'],
): ExportedDocument {
  return { apiVersion: 'countersign/v1', kind, metadata: { name }, spec };
}
