import type { Review, ReviewItem } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { splitWords } from '../flags/words.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import type { Presentation } from '../output/formats.ts';
import { reviewsReport } from './reviews-report.ts';

const members: FieldOverrides = {
  'query.resource_server': { flag: 'resource-server', brief: 'Access to this one: id, identifier or name' },
  'query.scope': { flag: 'scope', brief: 'Access that holds this scope' },
  'query.environments': {
    flag: 'environments',
    brief: 'Of identities in these',
    repeat: true,
    read: splitWords,
  },
  'query.kinds': { flag: 'kinds', brief: 'Of identities of these kinds', repeat: true, read: splitWords },
  'query.min_sensitivity': { flag: 'min-sensitivity', brief: 'From this sensitivity on, 0 to 3' },
  'query.team': { flag: 'team', brief: 'Of identities of this team' },
  'query.owner': { flag: 'owner', brief: 'Of identities of this person' },
  'query.not_used_for': {
    flag: 'not-used-for',
    placeholder: 'span',
    brief: 'Of which no use was reported for so long, such as 90d',
  },
  reviewers: {
    repeat: true,
    brief: 'Who decides; of several in turn: owner, backup, role:reviewer, person:HANDLE, team:NAME',
    read: (values) => [...values],
  },
  fallback: { brief: 'Who decides where those may not, or have not in time; role:reviewer when left out' },
  not_owner: { brief: 'Nobody decides on what is theirs' },
  opens_at: { brief: 'Starts by itself then; left out: by `reviews start`' },
  due_at: { brief: 'Until when reviewers decide: a time, or a span from now such as 30d' },
  fallback_for: { placeholder: 'span', brief: 'How long the fallback has afterwards; 7d when left out' },
  reminders: {
    placeholder: 'span',
    repeat: true,
    brief: 'How long before reviewers are reminded; 7d and 1d when left out',
    read: splitWords,
  },
  on_silence: { brief: 'What becomes of what nobody decided on' },
  tokens: {
    flag: 'effect',
    brief: 'Of what is taken away: tokens that hold it are refused at once, or left to run out',
  },
  repeat_every: { placeholder: 'span', brief: 'The next campaign opens so long after this one has' },
  use_within: { placeholder: 'span', brief: 'The span that use is shown of; 90d when left out' },
};

const items: Presentation<ReviewItem> = {
  name: (item) => item.id,
  columns: [
    { header: 'ID', value: (item) => item.id },
    { header: 'IDENTITY', value: (item) => item.client_id },
    { header: 'API', value: (item) => item.resource },
    { header: 'SCOPES AND USE', value: scopesText },
    {
      header: 'VERSION',
      value: (item) => `${item.version}${item.changed && item.state === 'pending' ? '*' : ''}`,
    },
    { header: 'REVIEWER', value: (item) => item.reviewer },
    { header: 'STATE', value: (item) => item.state },
    {
      header: 'REMEDIATION',
      value: (item) => (item.remediation.state === 'none' ? '' : item.remediation.state),
    },
  ],
};

/** Each scope with how often it was let through, or that nobody knows. */
export function scopesText({ scopes, usage }: ReviewItem): string {
  const used = new Map(usage?.scopes.map((each) => [each.scope, each]));
  return scopes
    .map((scope) => {
      const use = used.get(scope);
      if (use === undefined) return scope;
      return `${scope} (${use.state === 'used' ? `used, ${use.ok} in all` : use.state})`;
    })
    .join(', ');
}

export const reviews: RouteMap<CliContext> = buildNoun<Review>(
  {
    name: 'reviews',
    moreExamples: ['reviews report rvw_0123456789abcdefghij > review.csv'],
    brief: 'Campaigns in which people decide on access',
    argument: 'REVIEW',
    get: 'reviews.get',
    none: 'There is nothing of the kind.',
    presentation: {
      name: (review) => review.id,
      columns: [
        { header: 'ID', value: (review) => review.id },
        { header: 'NAME', value: (review) => review.name },
        { header: 'STATE', value: (review) => review.state },
        { header: 'ITEMS', value: (review) => String(review.items) },
        { header: 'DUE', value: (review) => review.due_at },
        { header: 'SILENCE', value: (review) => review.silence_at },
        { header: 'REVIEWERS', value: (review) => review.reviewers.join(' ') },
      ],
    },
  },
  {
    list: {
      operation: 'reviews.list',
      examples: ['--state open', '-o json'],
      overrides: { state: { brief: 'In this state' } },
    },
    get: { operation: 'reviews.get', examples: ['rvw_0123456789abcdefghij -o yaml'] },
    create: {
      operation: 'reviews.create',
      examples: [
        '--name "production, spring" --environments prod --reviewers backup --due-at 30d --dry-run',
        '--name payments --resource-server https://payments.example --reviewers person:ada --reviewers person:lin --not-owner --due-at 14d',
      ],
      overrides: members,
      done: 'Planned',
    },
    start: { operation: 'reviews.start', examples: ['rvw_0123456789abcdefghij'], done: 'Started' },
    items: {
      operation: 'reviews.items',
      examples: [
        'rvw_0123456789abcdefghij --for me',
        'rvw_0123456789abcdefghij --state silent --all -o json',
      ],
      overrides: { state: { brief: 'In this state' }, for: { brief: '`me`: that wait for me' } },
      presentation: items,
    },
    decide: {
      operation: 'reviews.decide',
      examples: [
        'rvw_0123456789abcdefghij --item rvi_0123456789abcdefghij --version 1 --decision keep',
        'rvw_0123456789abcdefghij --item rvi_0123456789abcdefghij --version 1 --decision reduce --scopes orders:read --comment "never writes"',
      ],
      overrides: {
        item: { brief: 'Which: its id, as `reviews items` shows it' },
        decision: { brief: 'What you decide' },
        version: { brief: 'The version that `reviews items` showed: what you read is what you decide on' },
        scopes: { brief: 'With reduce: what is left' },
        to: { brief: 'With reassign: handle of the person' },
        comment: { brief: 'Why; needed with all but keep' },
      },
      done: 'Decided on',
    },
    close: {
      operation: 'reviews.close',
      examples: ['rvw_0123456789abcdefghij --reason "planned by mistake"'],
      overrides: { reason: { brief: 'Why; it stays in the audit log' } },
      done: 'Closed',
    },
    quality: { operation: 'reviews.quality', examples: ['rvw_0123456789abcdefghij -o json'] },
  },
  { report: reviewsReport },
);
