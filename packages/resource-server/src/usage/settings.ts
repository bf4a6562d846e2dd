// No RFC: the option `usage`, read once.
import { type VerifierOptions, badOption, optionalFunction, refuseUnknown } from '../options.ts';
import type { Reporting } from './use-reporter.ts';

export interface UsageSettings {
  readonly client: Reporting;
  /** The authority that is told. */
  readonly issuer: string;
  /** Undefined: there is no better name than that of the start. */
  readonly instance: string | undefined;
  readonly onFailure: ((error: unknown) => void) | undefined;
}

const INSTANCE = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws VerifierOptionError */
export function readUsage(
  usage: VerifierOptions['usage'],
  issuers: readonly { readonly issuer: string; readonly followCutoffs: boolean }[],
): UsageSettings | undefined {
  if (usage === undefined || usage === false) return undefined;
  const { client, issuer, instance, onFailure, ...unknown } = 'client' in usage ? usage : { client: usage };
  refuseUnknown(unknown, 'usage.');
  if (typeof client?.fetch !== 'function') {
    throw badOption('usage', 'give a client of @countersign/client');
  }
  if (instance !== undefined && !INSTANCE.test(instance)) {
    throw badOption('usage.instance', 'give 1 to 64 of A-Z a-z 0-9 . _ -');
  }
  return {
    client,
    issuer: toldAuthority(issuer, issuers),
    instance: instance ?? hostName(),
    onFailure: optionalFunction('usage.onFailure', onFailure),
  };
}

/** Issuers without a feed are foreign ones: nobody there wants to know. */
function toldAuthority(
  issuer: string | undefined,
  issuers: readonly { readonly issuer: string; readonly followCutoffs: boolean }[],
): string {
  const [only, another] = issuers.filter((each) =>
    issuer === undefined ? each.followCutoffs || issuers.length === 1 : each.issuer === issuer,
  );
  if (only === undefined || another !== undefined) {
    throw badOption('usage.issuer', 'name the one of the issuers that is told');
  }
  return only.issuer;
}

/** As containers are told it: the name under which people find this copy. */
function hostName(): string | undefined {
  const name = globalThis.process?.env?.['HOSTNAME'];
  return name !== undefined && INSTANCE.test(name) ? name : undefined;
}
