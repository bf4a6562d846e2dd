import type { LoggedAuditEvent } from '@countersign/admin-api';

type Told = Readonly<Record<string, unknown>>;

/** What the event of a refusal holds beside its reason, as sentences. Undefined: nothing of that kind. */
export function refusalEvidence({ reason, detail }: LoggedAuditEvent): string | undefined {
  if (reason === undefined || !isTold(detail)) return undefined;
  const said = SENTENCES[reason]?.(detail);
  return said === undefined || said === '' ? undefined : said;
}

const SENTENCES: Readonly<Record<string, (detail: Told) => string>> = {
  policy_enforced: (told) =>
    `The policy "${text(told['policy'])}" (${text(told['rule'])}) refused it: ${text(told['why'])}.`,
  assertion_audience: (told) => `Its aud is ${text(told['aud'])}; taken are ${text(told['expected'])}.`,
  assertion_expired: (told) => `It ended at ${instant(told['exp'])}.`,
  assertion_stale: (told) =>
    `It was issued at ${instant(told['iat'])} and may be ${text(told['max_token_age'])} s old.`,
  assertion_not_yet_valid: (told) => `Its iat is ${instant(told['iat'])}, its nbf ${instant(told['nbf'])}.`,
  assertion_keys_unavailable: (told) => `Fetching from ${text(told['host'])}: ${text(told['fetch'])}.`,
  assertion_no_rule: (told) => `Its subject is ${pairs(told['subject'])}.`,
  assertion_condition_not_met: (told) => list(told['rules']).map(difference).join(' '),
  assertion_rule_not_usable: (told) =>
    list(told['rules'])
      .map((rule) => `${text(rule['credential'])}: ${text(rule['fault'])}.`)
      .join(' '),
  assertion_ambiguous: (told) =>
    `They are ${(told['identities'] as readonly unknown[]).map(text).join(', ')}.`,
  assertion_of_another_client: (told) => `It is the token of ${text(told['identity'])}.`,
};

function difference(rule: Told): string {
  const actual = rule['actual'] === null ? 'not in the token' : `"${text(rule['actual'])}"`;
  return `${text(rule['credential'])} of ${text(rule['identity'])} wants ${text(rule['claim'])} to be "${text(rule['expected'])}"; it is ${actual}.`;
}

function pairs(subject: unknown): string {
  if (!isTold(subject)) return '?';
  return Object.entries(subject)
    .map(([claim, value]) => `${claim} = ${value === null ? '(not in the token)' : text(value)}`)
    .join(', ');
}

function list(value: unknown): readonly Told[] {
  return Array.isArray(value) ? value.filter(isTold) : [];
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? '(none)'
      : JSON.stringify(value);
}

function instant(seconds: unknown): string {
  const at = typeof seconds === 'number' ? new Date(seconds * 1000) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? text(seconds) : at.toISOString();
}
