import type { AssertionReport, BodyOf } from '@countersign/admin-api';
import type { Changes } from '../../audit/change.ts';
import type { Tell } from '../../registry/change-rules.ts';
import type { IssuerChanger } from '../../registry/people-issuer.ts';
import { cutOffRules, type RulesCutOff } from '../../registry/issuer-cut-off.ts';
import {
  changeTrustedIssuer,
  createTrustedIssuer,
  deleteTrustedIssuer,
  type TrustedIssuerDeps,
} from '../../registry/trusted-issuer.ts';
import { type TrustedIssuerView, trustedIssuerView } from '../../registry/trusted-issuer-view.ts';
import type { IssuerKeys, TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import type { Position } from '../../storage/page.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { differenceOf } from '../apply/difference.ts';
import { rehearse } from '../apply/rehearse.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { Admin } from './admin.ts';
import type { Call, NounHandlers } from './endpoint.ts';
import { mergedPeople, peopleOf } from './people-settings.ts';
import type { ReasonExplanation } from './explain.ts';
import { findTrustedIssuer, required } from './find-record.ts';

/** What the token wing would make of an assertion; it takes, issues and keeps nothing. */
export type TestAssertion = (assertion: string) => Promise<{
  /** Undefined: it would be taken. */
  readonly reason: string | undefined;
  readonly trustedIssuer: string | undefined;
  readonly clientId: string | undefined;
  readonly rules: readonly {
    readonly credential: string;
    readonly clientId: string;
    readonly notMet:
      | { readonly claim: string; readonly expected: string; readonly actual: string | undefined }
      | undefined;
  }[];
}>;

type EndingCall = Call<'trusted-issuers.patch'> | Call<'trusted-issuers.delete'>;
type EndingVerb = 'suspended' | 'deleted';
type InTransaction = (work: (stores: Stores, tell: Tell) => Promise<RulesCutOff>) => Promise<RulesCutOff>;
type Change<Ending> = (call: Ending, stores: Stores, tell: Tell) => Promise<TrustedIssuerRecord>;

export function trustedIssuerHandlers(
  deps: TrustedIssuerDeps & {
    readonly changes: Changes;
    readonly storage: Pick<Storage, 'trustedIssuers' | 'transaction'>;
    readonly testAssertion: TestAssertion;
    readonly tokenReasons: Readonly<Record<string, ReasonExplanation>>;
  },
): NounHandlers<'trusted-issuers'> {
  const { storage } = deps;

  async function test({ body }: Call<'trusted-issuers.test'>): Promise<AssertionReport> {
    const { reason, trustedIssuer, clientId, rules } = await deps.testAssertion(body.assertion);
    const told = reason === undefined ? TAKEN : deps.tokenReasons[reason];
    return {
      accepted: reason === undefined,
      reason: reason ?? null,
      why: told?.why ?? `The reason is ${reason}.`,
      fix: told?.fix ?? null,
      trusted_issuer: trustedIssuer ?? null,
      client_id: clientId ?? null,
      rules: rules.map(({ credential, clientId: owner, notMet }) => ({
        credential,
        client_id: owner,
        met: notMet === undefined,
        claim: notMet?.claim ?? null,
        expected: notMet?.expected ?? null,
        actual: notMet?.actual ?? null,
      })),
    };
  }

  async function patch(
    { params, body, admin, requireVersion }: Call<'trusted-issuers.patch'>,
    stores: Stores,
    tell: Tell,
  ): Promise<TrustedIssuerRecord> {
    const record = required(await findTrustedIssuer(stores, params.id), 'trusted issuer');
    requireVersion(record.version);
    return await changeTrustedIssuer(deps, stores, tell, changerOf(admin), record, {
      name: body.name,
      keys: body.jwks === undefined && body.jwks_uri === undefined ? undefined : keysOf(body),
      ca: body.ca,
      algorithms: body.algorithms,
      audience: body.audience,
      maxTokenAge: body.max_token_age,
      singleUse: body.single_use,
      people: mergedPeople(record.people, body.people),
      state: body.state,
    });
  }

  async function remove(
    { params, admin, requireVersion }: Call<'trusted-issuers.delete'>,
    stores: Stores,
    tell: Tell,
  ): Promise<TrustedIssuerRecord> {
    const record = required(await findTrustedIssuer(stores, params.id), 'trusted issuer');
    requireVersion(record.version);
    return await deleteTrustedIssuer(deps, stores, tell, changerOf(admin), record);
  }

  /**
   * First nothing more is issued, then what was issued is ended, rule by rule. Who is told of a failure half way may say the
   * same again: it begins with the first rule.
   */
  async function carryOut<Ending extends EndingCall>(
    call: Ending,
    change: Change<Ending>,
    verb: EndingVerb | undefined,
  ): Promise<{ body: TrustedIssuerView & { cut_off: number }; version: number }> {
    const { actor } = call.admin;
    const record = await deps.changes.run(actor, (stores, tell) => change(call, stores, tell));
    const run: InTransaction = (work) => deps.changes.run(actor, work);
    const cutOff = verb === undefined ? 0 : await endTokens(run, record, verb, actor.identity);
    return { body: { ...trustedIssuerView(record), cut_off: cutOff }, version: record.version };
  }

  async function preview<Ending extends EndingCall>(
    call: Ending,
    change: Change<Ending>,
    verb: EndingVerb | undefined,
  ): Promise<object> {
    const events = await rehearse(storage, async (stores, tell) => {
      const record = await change(call, stores, tell);
      const run: InTransaction = (work) => work(stores, tell);
      if (verb !== undefined) await endTokens(run, record, verb, call.admin.actor.identity);
    });
    return differenceOf(events);
  }

  async function endTokens(
    run: InTransaction,
    record: TrustedIssuerRecord,
    verb: EndingVerb,
    orderedBy: string,
  ): Promise<number> {
    let cutOff = 0;
    let after: Position | undefined;
    do {
      const asked = { after, verb, orderedBy };
      const batch = await run((stores, tell) => cutOffRules(deps, stores, tell, record, asked));
      cutOff += batch.cutOff;
      after = batch.next;
    } while (after !== undefined);
    return cutOff;
  }

  return {
    'trusted-issuers.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const record = await createTrustedIssuer(deps, stores, tell, changerOf(admin), {
          issuer: body.issuer,
          name: body.name,
          ...trustedIssuerSettings(body),
        });
        return { ...resultOf(record), location: `/v1/trusted-issuers/${record.id}` };
      },
    },

    'trusted-issuers.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return {
          body: await pageOf(
            await storage.trustedIssuers.list({ text: query.text }, page),
            trustedIssuerView,
          ),
        };
      },
    },

    'trusted-issuers.get': {
      kind: 'read',
      async run({ params }) {
        return resultOf(required(await findTrustedIssuer(storage, params.id), 'trusted issuer'));
      },
    },

    'trusted-issuers.patch': {
      kind: 'many',
      run: (call) => carryOut(call, patch, endingOf(call)),
      preview: (call) => preview(call, patch, endingOf(call)),
    },

    'trusted-issuers.delete': {
      kind: 'many',
      run: (call) => carryOut(call, remove, 'deleted'),
      preview: (call) => preview(call, remove, 'deleted'),
    },

    'trusted-issuers.test': {
      kind: 'many',
      async run(call) {
        return { body: await test(call) };
      },
      // It changes nothing either way.
      preview: () => Promise.resolve([]),
    },
  };
}

function changerOf({ unlimited, actor }: Admin): IssuerChanger {
  return { ceiling: unlimited, person: actor.person };
}

function endingOf({ body }: Call<'trusted-issuers.patch'>): EndingVerb | undefined {
  return body.state === 'suspended' ? 'suspended' : undefined;
}

const TAKEN: ReasonExplanation = {
  why: 'The token is good, and exactly one identity has a rule that it meets.',
  fix: undefined,
};

/** As the contract has them, for creation and for declared documents. */
export function trustedIssuerSettings(spec: Omit<BodyOf<'trusted-issuers.create'>, 'issuer' | 'name'>): Pick<
  TrustedIssuerRecord,
  'kind' | 'keys' | 'ca' | 'algorithms' | 'audience' | 'people'
> & {
  readonly maxTokenAge: number | undefined;
  readonly singleUse: boolean | undefined;
} {
  return {
    kind: spec.kind,
    keys: keysOf(spec),
    ca: spec.ca,
    algorithms: spec.algorithms,
    audience: spec.audience,
    maxTokenAge: spec.max_token_age,
    singleUse: spec.single_use,
    people: spec.people === undefined ? undefined : peopleOf(spec.people),
  };
}

function keysOf(spec: {
  readonly jwks?: object | null | undefined;
  readonly jwks_uri?: string | null | undefined;
}): IssuerKeys {
  if (spec.jwks !== undefined && spec.jwks !== null) return { from: 'jwks', jwks: spec.jwks };
  if (typeof spec.jwks_uri === 'string') return { from: 'jwks_uri', uri: spec.jwks_uri };
  return { from: 'discovery' };
}

function resultOf(record: TrustedIssuerRecord): { body: TrustedIssuerView; version: number } {
  return { body: trustedIssuerView(record), version: record.version };
}
