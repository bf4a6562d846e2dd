import { CREDENTIAL_TYPES, ENVIRONMENTS } from '@countersign/admin-api';
import type { Deployment } from './config/deployment.ts';
import { SettingError } from './config/load.ts';
import { type LifetimeLimits, parseLimits } from './policy/limit-table.ts';
import { parseRefusedMethods, type RefusedMethods } from './policy/methods-allowed-per-environment.ts';
import { parseLifetimeLimits } from './policy/token-lifetime-limits.ts';
import { type MaximumAge, maximumAgeOf } from './registry/credential-age.ts';

/** What a deployment's settings say to the policy rules. */
export interface DeploymentPolicy {
  readonly refusedMethods: RefusedMethods;
  readonly maximumAge: MaximumAge;
  /** The same where it is enforced at issuance too. */
  readonly enforcedAge: ((type: string, environment: string) => number) | undefined;
  readonly lifetimeLimits: LifetimeLimits | undefined;
  /** Days before its end at which a credential is told of; descending. */
  readonly credentialExpiring: readonly number[];
}

/** Throws `SettingError` for the first entry that is not understood: a rule that nobody reads protects nobody. */
export function policyOf(deployment: Deployment): DeploymentPolicy {
  const refused = parseRefusedMethods(deployment.methodsRefused, CREDENTIAL_TYPES, ENVIRONMENTS);
  if (!refused.ok)
    throw notUnderstood('methods-refused', refused.pair, 'type@environment', 'Or none, alone.');
  const ages = parseLimits(deployment.credentialMaxAge, CREDENTIAL_TYPES, ENVIRONMENTS);
  if (!ages.ok) throw notUnderstood('credential-max-age', ages.entry, 'type@environment=span', STAR);
  const lifetimes = parseLifetimeLimits(deployment.tokenLifetimeLimits, CREDENTIAL_TYPES, ENVIRONMENTS);
  if (!lifetimes.ok) {
    const form = 'type@environment=span or sensitivity-N=span';
    throw notUnderstood('token-lifetime-limits', lifetimes.entry, form, STAR);
  }
  const maximumAge = maximumAgeOf(ages.limits);
  return {
    refusedMethods: refused.refused,
    maximumAge,
    enforcedAge:
      deployment.credentialMaxAgeMode === 'enforce'
        ? (maximumAge as DeploymentPolicy['enforcedAge'])
        : undefined,
    lifetimeLimits: lifetimes.limits,
    credentialExpiring: expiringOf(deployment.credentialExpiring),
  };
}

const MOST_THRESHOLDS = 10;
const MOST_DAYS = 365;

/** Whole days from 1 to 365, at most ten of them, in whatever order. */
function expiringOf(entries: readonly string[]): readonly number[] {
  const wrong = entries.find((entry) => !/^[1-9][0-9]{0,2}$/.test(entry) || Number(entry) > MOST_DAYS);
  if (wrong !== undefined || entries.length > MOST_THRESHOLDS) {
    const problem = wrong === undefined ? `has ${entries.length} entries` : `${wrong} is no number of days`;
    const fix = `At most ${MOST_THRESHOLDS} of them, from 1 to ${MOST_DAYS}: 30,7,1.`;
    throw new SettingError('credential-expiring', problem, fix);
  }
  return [...new Set(entries.map(Number))].sort((one, other) => other - one);
}

const STAR = 'Or * for all of them. A span is 90s, 10m, 12h or 30d.';

function notUnderstood(setting: string, entry: string, form: string, more: string): SettingError {
  const known = `Types: ${CREDENTIAL_TYPES.join(', ')}. Environments: ${ENVIRONMENTS.join(', ')}. ${more}`;
  return new SettingError(setting, `${entry} is not ${form}`, known);
}
