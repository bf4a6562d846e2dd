import { type OperationId, operations } from '@countersign/admin-api';
import { buildCommand, buildRouteMap, type RouteMap } from '@stricli/core';
import { type AdminConnection, withAdmin } from '../connection/admin.ts';
import type { TableInput } from '../connection/admin-table.ts';
import { namingWhatIsMissing } from '../connection/missing-name.ts';
import { isNamedKind } from '../connection/named-kinds.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say, type Target } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { confirmFlags, outputAliases, type OutputFlags, outputFlags, writeFlags } from '../flags/output.ts';
import { withExamples } from '../help.ts';
import { type Presentation, printObject } from '../output/formats.ts';
import {
  type ContractFlags,
  contractFlags,
  type FieldOverrides,
  type FlagParameter,
  type FlagValues,
} from './contract-flags.ts';
import { namingFlags } from './naming-flags.ts';
import { sayingWhereToLook } from './where-to-look.ts';
import { followFlag, followList } from './follow.ts';
import { printPages } from './list.ts';
import { sayWarnings } from '../output/warnings.ts';
import { mayProceed } from './write.ts';

/** One verb: an operation of the contract, told for the command line. */
export interface Verb {
  readonly operation: OperationId;
  /** What follows `countersign NOUN VERB`. Shown first in its help. */
  readonly examples: readonly [string, ...string[]];
  /** In place of the contract's summary. */
  readonly brief?: string;
  readonly overrides?: FieldOverrides;
  /** A numbered list that only grows: with `--follow`. */
  readonly follows?: true;
  /** Said on stderr under what is shown first: what the difference itself does not tell. */
  readonly caution?: (body: Readonly<Record<string, unknown>>) => string | undefined;
  /** Said on stderr when it is done: `Suspended`, and the name follows; or the whole sentence, by the answer. */
  readonly done?: string | ((body: object, name: string) => string);
  /** Of the items of an answer that are not of the noun. */
  readonly presentation?: Presentation<never>;
}

export interface Noun<T extends object> {
  readonly name: string;
  /** Of verbs with a command of their own. */
  readonly moreExamples?: readonly string[];
  readonly brief: string;
  /** Placeholder of the object's name: `IDENTITY`. */
  readonly argument: string;
  readonly presentation: Presentation<T>;
  /** Reads one object; its ETag is what a change names. */
  readonly get?: OperationId;
  /** Said on stderr when a list is empty. */
  readonly none: string;
}

/** Builds a noun from its verbs; `others` are verbs with a command of their own. */
export function buildNoun<T extends object>(
  noun: Noun<T>,
  verbs: Readonly<Record<string, Verb>>,
  others: Readonly<Record<string, Target>> = {},
): RouteMap<CliContext> {
  const built = Object.entries(verbs).map(([name, verb]): [string, Target] => [
    name,
    buildVerb(noun, verb, verbs),
  ]);
  const routes = { ...Object.fromEntries(built), ...others };
  const map = buildRouteMap<string, CliContext>({
    routes,
    // Whoever knows one of the two words finds the other; where a noun has both, `show` tells more.
    aliases:
      'show' in routes ? ('get' in routes ? {} : { get: 'show' }) : 'get' in routes ? { show: 'get' } : {},
    docs: { brief: noun.brief },
  });
  const examples = Object.entries(verbs).map(([name, verb]) => `${noun.name} ${name} ${verb.examples[0]}`);
  return withExamples(map, [...examples, ...(noun.moreExamples ?? [])]);
}

type VerbFlags = ConnectionFlags & OutputFlags & FlagValues;

function buildVerb<T extends object>(
  noun: Noun<T>,
  verb: Verb,
  verbs: Readonly<Record<string, Verb>>,
): Target {
  const operation = operations[verb.operation];
  const isList = 'next_cursor' in shapeOf(operation.response) && operation.method === 'GET';
  const paged = 'cursor' in operation.query.shape;
  const fromContract = contractFlags(verb.operation, operation.write ? 'body' : 'query', {
    ...verb.overrides,
    ...(isList ? { limit: { skip: true }, cursor: { skip: true } } : {}),
  });
  const taken = Object.keys(fromContract.parameters).find((key) => key in connectionFlags);
  if (taken !== undefined) throw new Error(`${verb.operation}: ${taken} is a flag of the connection`);
  const flags = {
    ...fromContract.parameters,
    ...(paged ? listFlags : {}),
    ...(verb.follows === true ? followFlag : {}),
    ...(operation.write ? writeFlags : {}),
    ...(operation.destructive ? confirmFlags : {}),
    ...outputFlags,
    ...connectionFlags,
  };
  const hasArgument = Object.keys(operation.params.shape).length > 0;
  const run = isList ? runList : runOne;
  return buildCommand<VerbFlags, string[], CliContext>({
    async func(values, ...args) {
      await withAdmin(this.host, values, (admin) => {
        const work = () =>
          namingFlags(fromContract, () =>
            run({ context: this, admin, noun: noun as Noun<object>, verb, values, args, fromContract }),
          );
        const [name] = args;
        return name !== undefined && isNamedKind(noun.argument)
          ? namingWhatIsMissing(admin.client, noun.argument, name, work)
          : work().catch((error: unknown) => {
              throw name !== undefined && 'list' in verbs ? sayingWhereToLook(noun.name, error) : error;
            });
      });
    },
    parameters: {
      // The types of these flags are the contract's, which is read at run time only.
      flags: flags as never,
      aliases: outputAliases,
      positional: {
        kind: 'tuple',
        parameters: hasArgument
          ? [{ brief: ARGUMENT_BRIEFS[noun.argument] ?? 'Its id', parse: String, placeholder: noun.argument }]
          : [],
      } as never,
    },
    docs: { brief: verb.brief ?? operation.summary, customUsage: verb.examples },
  });
}

const ARGUMENT_BRIEFS: Readonly<Record<string, string>> = {
  IDENTITY: 'Its id (idn_…), client_id or name',
  API: 'Its id (rsv_…), identifier or name',
  PERSON: 'Their id (psn_…), handle or name',
  TEAM: 'Its id (tem_…) or name',
  ISSUER: 'Its id (tis_…), issuer or name',
  POLICY: 'Its id (pol_…) or name',
};

interface Run {
  readonly context: CliContext;
  readonly admin: AdminConnection;
  readonly noun: Noun<object>;
  readonly verb: Verb;
  readonly values: VerbFlags;
  readonly args: readonly string[];
  readonly fromContract: ContractFlags;
}

async function runList({ context, admin, noun, verb, values, args, fromContract }: Run): Promise<void> {
  const query = await fromContract.read(values, context.host);
  const presentation = (verb.presentation ?? noun.presentation) as Presentation<object>;
  if (values['follow'] === true) {
    const { operation } = verb;
    const followed = { table: admin.table, operation, query, format: values.output, presentation };
    return followList(context.host, followed);
  }
  const items = admin.table.each(verb.operation, { params: paramsOf(verb, args), query });
  await printPages(
    context,
    items,
    { presentation, none: noun.none },
    {
      format: values.output,
      limit: values['all'] === true ? undefined : Number(values['limit'] ?? DEFAULT_LIMIT),
    },
  );
}

const DEFAULT_LIMIT = '100';

const listFlags: Readonly<Record<string, FlagParameter>> = {
  limit: {
    kind: 'parsed',
    parse: (text: string): string => {
      if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error('Write a number from 1 on.');
      return text;
    },
    default: DEFAULT_LIMIT,
    placeholder: 'number',
    brief: 'At most so many',
  },
  all: { kind: 'boolean', default: false, withNegated: false, brief: 'All of them, however many' },
};

async function runOne({ context, admin, noun, verb, values, args, fromContract }: Run): Promise<void> {
  const operation = operations[verb.operation];
  const params = paramsOf(verb, args);
  const given = await fromContract.read(values, context.host);
  const input: TableInput = {
    params,
    ...(operation.write ? { body: given } : { query: given }),
    ...(operation.ifMatch === 'required' ? { ifMatch: await etagOf(admin, noun, params) } : {}),
  };
  const consent = {
    dryRun: values['dryRun'] === true,
    yes: values['yes'] === true,
    output: values.output,
    caution: verb.caution?.(given),
  };
  if (operation.write && !(await mayProceed(context, admin, verb.operation, input, consent))) return;
  const { body } = await admin.table.call(verb.operation, input);
  sayWarnings(context, body);
  if (Array.isArray((body as { items?: unknown }).items)) {
    const presentation = (verb.presentation ?? noun.presentation) as Presentation<object>;
    const items = each((body as { items: unknown[] }).items);
    return printPages(
      context,
      items,
      { presentation, none: noun.none },
      {
        format: values.output,
        limit: undefined,
      },
    );
  }
  if (verb.done !== undefined) {
    const name = noun.presentation.name(body as object);
    say(
      context.host,
      typeof verb.done === 'string' ? `${verb.done} ${name}` : verb.done(body as object, name),
    );
  }
  await printObject(context.host, values.output, body as object, noun.presentation.name);
}

function paramsOf({ operation }: Verb, args: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.keys(operations[operation].params.shape).map((name, index) => [name, args[index]]),
  );
}

/** The version that is changed is the one that is there now; somebody else's change in between is a conflict (5). */
async function etagOf(
  admin: AdminConnection,
  noun: Noun<object>,
  params: Readonly<Record<string, unknown>>,
): Promise<string> {
  if (noun.get === undefined) return '*';
  return (await admin.table.call(noun.get, { params })).etag ?? '*';
}

async function* each(items: readonly unknown[]): AsyncGenerator<unknown> {
  yield* items;
}

function shapeOf(response: unknown): Readonly<Record<string, unknown>> {
  return (response as { readonly shape?: Readonly<Record<string, unknown>> }).shape ?? {};
}
