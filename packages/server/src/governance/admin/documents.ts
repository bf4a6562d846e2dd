import {
  applyRequest,
  directoryName,
  type Document,
  newClientId,
  type ResponseOf,
  subjectOf,
} from '@countersign/admin-api';
import type { Actor } from '../../audit/change.ts';
import { handleKey } from '../../registry/directory/handle.ts';
import type { Ceiling } from '../../registry/own-access.ts';
import { type ApplyDeps, type ApplyOutcome, ApplyStopped, apply, plan } from '../apply/apply.ts';
import type { Application, ApplicationDeps } from '../apply/application.ts';
import { workloadKey } from '../apply/bring-workload.ts';
import type { DeclaredProof } from '../apply/credential-types.ts';
import type { Declared, DeclaredEnd } from '../apply/declared.ts';
import type { ObjectDifference } from '../apply/difference.ts';
import { exportDocuments } from '../apply/export.ts';
import { approvalRuleOf } from './approval-rules.ts';
import { requireAdminPerson } from './decider.ts';
import { clientKeyOf } from './client-key-members.ts';
import type { Call, NounHandlers } from './endpoint.ts';
import { ProblemError, problemOf } from './problem.ts';
import { fieldErrors, pointerOf } from './read-request.ts';
import { policyOf } from './policies.ts';
import { scopesOf } from './resource-servers.ts';
import { newTrustDomainOf } from './trust-domains.ts';
import { trustedIssuerSettings } from './trusted-issuers.ts';

export type DocumentDeps = ApplyDeps & ApplicationDeps;

export function documentHandlers(deps: DocumentDeps): NounHandlers<'apply'> & NounHandlers<'export'> {
  return {
    'apply.run': {
      kind: 'many',
      async run({ body, admin }) {
        const application = applicationOf(deps, admin.actor, admin.unlimited, () =>
          requireAdminPerson(admin),
        );
        const done = await carefully(deps, () =>
          apply(deps, application, declaredOf(body.documents), body.prune),
        );
        return { body: done as ResponseOf<'apply.run'> };
      },
      async preview({ body, admin }: Call<'apply.run'>) {
        const application = applicationOf(deps, admin.actor, admin.unlimited, () =>
          requireAdminPerson(admin),
        );
        return await carefully(deps, () => plan(deps, application, declaredOf(body.documents), body.prune));
      },
    },

    'export.get': {
      kind: 'read',
      async run() {
        const documents = await exportDocuments(deps.storage, deps.clock.now());
        return { body: { documents } as unknown as ResponseOf<'export.get'> };
      },
    },
  };
}

/**
 * Applies documents for who runs the authority itself, before it is ready. Rejects with a `ProblemError` whose message
 * says which document is wrong; its extensions say what was done already.
 */
export async function applyDocuments(
  deps: DocumentDeps,
  actor: Actor,
  documents: readonly unknown[],
  options: { readonly dryRun: boolean },
): Promise<ApplyOutcome> {
  const parsed = applyRequest.safeParse({ documents });
  if (!parsed.success) {
    const errors = fieldErrors(parsed.error.issues, pointerOf);
    const [first] = errors;
    throw new ProblemError('validation_failed', { detail: `${first?.pointer} ${first?.detail}`, errors });
  }
  const application = applicationOf(deps, actor, undefined, () => undefined);
  const objects = declaredOf(parsed.data.documents);
  return await carefully(deps, async () =>
    options.dryRun
      ? { changes: await plan(deps, application, objects, false), secrets: [] }
      : await apply(deps, application, objects, false),
  );
}

function applicationOf(
  deps: DocumentDeps,
  actor: Actor,
  ceiling: Ceiling,
  requireAdminPerson: () => void,
): Application {
  return { deps, actor, ceiling, requireAdminPerson, now: deps.clock.now() };
}

/** Says of a refusal which document it is about, and of an interruption what was done. */
async function carefully<T>(deps: DocumentDeps, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApplyStopped)) throw error;
    const problem = problemOf(error.cause, deps.clock.now());
    if (problem === undefined) throw error.cause;
    throw documentProblem(error, problem);
  }
}

function documentProblem({ object, done }: ApplyStopped, problem: ProblemError): ProblemError {
  const detail = problem.extensions.detail ?? problem.code;
  const applied: readonly ObjectDifference[] = done.changes;
  return new ProblemError(
    problem.code,
    {
      ...problem.extensions,
      detail: object === undefined ? detail : `${object.kind} ${object.name}: ${detail}`,
      ...(object === undefined
        ? {}
        : {
            errors: (problem.extensions.errors ?? [{ pointer: '', detail }]).map((each) => ({
              ...each,
              pointer: `/documents/${object.index}/spec${each.pointer}`,
            })),
          }),
      ...(applied.length === 0 ? {} : { applied }),
      ...(done.secrets.length === 0 ? {} : { secrets: done.secrets }),
    },
    problem.headers,
  );
}

function declaredOf(documents: readonly Document[]): readonly Declared[] {
  const objects = documents.map(toDeclared);
  const seen = new Map<string, number>();
  for (const object of objects) {
    const key = keyOf(object);
    const first = seen.get(key);
    if (first !== undefined) {
      const detail = `declares the same object as document ${first}`;
      throw new ProblemError('validation_failed', {
        detail,
        errors: [{ pointer: `/documents/${object.index}`, detail }],
      });
    }
    seen.set(key, object.index);
  }
  return objects;
}

function keyOf(object: Declared): string {
  if (object.kind === 'Identity') return JSON.stringify([object.kind, object.clientId]);
  if (object.kind === 'TrustedIssuer') return JSON.stringify([object.kind, object.issuer]);
  if (object.kind === 'Person') return JSON.stringify([object.kind, handleKey(object.handle)]);
  if (object.kind === 'Team') return JSON.stringify([object.kind, handleKey(object.team)]);
  if (object.kind === 'ResourceServer') return JSON.stringify([object.kind, object.identifier]);
  if (object.kind === 'Credential') return JSON.stringify([object.kind, object.identity, object.name]);
  if (object.kind === 'ApprovalRule' || object.kind === 'Policy' || object.kind === 'Webhook') {
    return JSON.stringify([object.kind, object.name]);
  }
  if (object.kind === 'TrustDomain') return JSON.stringify([object.kind, object.trustDomain.trustDomain]);
  if (object.kind === 'Workload') return workloadKey(object.agent, object.identity, object.selectors);
  if (object.kind === 'PolicyException') {
    return JSON.stringify([object.kind, object.policy, object.identity]);
  }
  return JSON.stringify([object.kind, object.identity, object.resourceServer]);
}

function toDeclared(document: Document, index: number): Declared {
  const { name } = document.metadata;
  if (document.kind === 'Identity') {
    const { spec } = document;
    if (spec.client_id === undefined && !newClientId.safeParse(name).success) {
      const detail = 'a client_id is needed, as the name is none';
      const pointer = `/documents/${index}/spec/client_id`;
      throw new ProblemError('validation_failed', { detail, errors: [{ pointer, detail }] });
    }
    return {
      kind: 'Identity',
      name,
      index,
      clientId: spec.client_id ?? name,
      title: spec.name ?? name,
      identityKind: spec.kind,
      environment: spec.environment,
      purpose: spec.purpose,
      owner: { person: spec.owner.person, backup: spec.owner.backup, team: spec.owner.team },
      sensitivity: spec.sensitivity,
      cadence: spec.cadence,
      state: spec.state,
      end: requireEndOf(spec),
    };
  }
  if (document.kind === 'Person') {
    const { handle = directoryNameOf(name, 'handle', index), email, status, ...spec } = document.spec;
    const { name: title = handle, external_id: externalId, manager: managerHandle } = spec;
    return { kind: 'Person', name, index, handle, title, email, externalId, status, managerHandle };
  }
  if (document.kind === 'Team') {
    const { name: team = directoryNameOf(name, 'name', index), members, lead, channel } = document.spec;
    return { kind: 'Team', name, index, team, members, lead, channel };
  }
  if (document.kind === 'TrustedIssuer') {
    const { issuer, name: title = name } = document.spec;
    const settings = trustedIssuerSettings(document.spec);
    return { kind: 'TrustedIssuer', name, index, issuer, title, settings };
  }
  if (document.kind === 'ResourceServer') {
    const { spec } = document;
    const { format, lifetime, signing_alg, typ, status_list } = spec.token;
    return {
      kind: 'ResourceServer',
      name,
      index,
      identifier: spec.identifier,
      title: spec.name ?? name,
      scopes: scopesOf(spec.scopes),
      token: { format, lifetime, signingAlg: signing_alg, typ, ...(status_list ? { statusList: true } : {}) },
      senderConstraint: spec.sender_constraint,
    };
  }
  if (document.kind === 'Credential') {
    const { spec } = document;
    return {
      kind: 'Credential',
      name,
      index,
      identity: spec.identity,
      proof: proofOf(spec),
      end: endOf(spec),
    };
  }
  if (document.kind === 'ApprovalRule') {
    return { kind: 'ApprovalRule', name, index, rule: approvalRuleOf(document.spec) };
  }
  if (document.kind === 'Policy') {
    return { kind: 'Policy', name, index, policy: policyOf(document.spec) };
  }
  if (document.kind === 'PolicyException') {
    const { policy, identity, reason } = document.spec;
    const end = requireEndOf(document.spec);
    return { kind: 'PolicyException', name, index, policy, identity, reason, end };
  }
  if (document.kind === 'Webhook') {
    const { url, events, description, state, secret } = document.spec;
    return { kind: 'Webhook', name, index, webhook: { url, events, description, state, secret } };
  }
  if (document.kind === 'TrustDomain') {
    return { kind: 'TrustDomain', name, index, trustDomain: newTrustDomainOf(document.spec) };
  }
  if (document.kind === 'Workload') {
    const { agent, identity, selectors, hint } = document.spec;
    return {
      kind: 'Workload',
      name,
      index,
      agent,
      identity,
      selectors,
      hint,
      end: requireEndOf(document.spec),
    };
  }
  const { identity, resource_server, scopes, justification, token_lifetime, conditions } = document.spec;
  return {
    kind: 'Access',
    name,
    index,
    identity,
    resourceServer: resource_server,
    scopes,
    justification,
    tokenLifetime: token_lifetime,
    conditions,
    end: requireEndOf(document.spec),
  };
}

/** `metadata.name` where the object's own name was left out. */
function directoryNameOf(name: string, member: string, index: number): string {
  if (directoryName.safeParse(name).success) return name;
  const detail = `a ${member} is needed, as the name is none`;
  const pointer = `/documents/${index}/spec/${member}`;
  throw new ProblemError('validation_failed', { detail, errors: [{ pointer, detail }] });
}

function proofOf(spec: CredentialSpec): DeclaredProof {
  const { type } = spec;
  switch (type) {
    case 'client_secret':
      return { type, secret: spec.secret };
    case 'api_key':
      return { type, secret: spec.secret, resourceServer: spec.resource_server, scopes: spec.scopes };
    case 'private_key_jwt':
      return { type, ...clientKeyOf(spec) };
    case 'tls_client_auth':
      return { type, ...subjectOf(spec), ca: spec.ca, crl: spec.crl };
    case 'self_signed_tls_client_auth':
      return { type, certificate: spec.certificate };
    case 'federated':
      return { type, trustedIssuer: spec.trusted_issuer, conditions: spec.conditions };
  }
}

type CredentialSpec = Extract<Document, { kind: 'Credential' }>['spec'];

interface Spec {
  readonly expires_at?: string | undefined;
  readonly expires_in?: string | undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

function endOf(spec: Spec): DeclaredEnd | undefined {
  if (spec.expires_at !== undefined) return { at: Date.parse(spec.expires_at) };
  if (spec.expires_in === undefined) return undefined;
  return { within: Number(spec.expires_in.slice(0, -1)) * (UNIT_MS[spec.expires_in.slice(-1)] ?? 0) };
}

function requireEndOf(spec: Spec): DeclaredEnd {
  const end = endOf(spec);
  if (end === undefined) throw new Error('the contract lets no document through without an end');
  return end;
}
