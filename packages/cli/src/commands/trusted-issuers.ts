import type { TrustedIssuer } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { usageError } from '../failure.ts';
import { jsonFile, textFile } from '../named-file.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { trustedIssuersTest } from './trusted-issuers-test.ts';

const members: FieldOverrides = {
  // Not --issuer: that is the authority to talk to.
  issuer: {
    flag: 'trusted-issuer',
    placeholder: 'url',
    brief: 'The iss of its tokens, character by character',
  },
  name: { brief: 'What people call it' },
  kind: { brief: 'What its claims are worth: docs/parts' },
  jwks_uri: { placeholder: 'url', brief: 'Where its keys are published, when its metadata do not say' },
  jwks: {
    flag: 'jwks-file',
    placeholder: 'file',
    brief: 'Its keys themselves, a JWK set',
    read: ([file], host, flag) => jsonFile(host, file as string, flag),
  },
  ca: {
    flag: 'ca-certificate',
    placeholder: 'file',
    brief: 'PEM certificates that its TLS certificate is signed with',
    read: ([file], host, flag) => textFile(host, file as string, flag),
  },
  algorithms: { brief: 'Algorithms that it may sign with' },
  audience: { brief: 'The only audience taken, in place of this authority' },
  max_token_age: { brief: 'Seconds that its tokens are taken for, from their iat' },
  single_use: { brief: 'Take each of its tokens once' },
  'people.client_id': {
    flag: 'people-client-id',
    placeholder: 'id',
    brief: 'What Countersign is called there, with kind people',
  },
  'people.console_client_id': { flag: 'people-console-client-id', placeholder: 'id' },
  'people.scope': { flag: 'people-scope' },
  'people.handle_claim': { flag: 'handle-claim', placeholder: 'claim' },
  'people.groups_claim': { flag: 'groups-claim', placeholder: 'claim' },
  'people.session_lifetime': { flag: 'session-lifetime', placeholder: 'seconds' },
  'people.roles': {
    flag: 'role',
    placeholder: 'role=group',
    brief: 'A group whose members have a role; may be repeated',
    repeat: true,
    read: groupsByName,
  },
  'people.teams': {
    flag: 'team',
    placeholder: 'team=group',
    brief: 'A group whose members are in a team; may be repeated',
    repeat: true,
    read: groupsByName,
  },
  state: { brief: 'Suspended, none of its tokens is taken, and what was issued for them is cut off' },
};

/** `name=group`, several times: the groups of each name. A name without a group takes it away. */
function groupsByName(values: readonly string[]): Record<string, string[] | null> {
  const groups: Record<string, string[] | null> = {};
  for (const value of values) {
    const at = value.indexOf('=');
    if (at < 1) throw usageError(`${value} is not name=group.`, 'Such as: --role admin=platform-admins');
    const [name, group] = [value.slice(0, at), value.slice(at + 1)];
    groups[name] = group === '' ? null : [...(groups[name] ?? []), group];
  }
  return groups;
}

export const trustedIssuers: RouteMap<CliContext> = buildNoun<TrustedIssuer>(
  {
    name: 'trusted-issuers',
    brief: 'Whose tokens workloads may come with',
    argument: 'ISSUER',
    get: 'trusted-issuers.get',
    none: 'There are no such trusted issuers.',
    moreExamples: ['trusted-issuers test --token-file token.jwt'],
    presentation: {
      name: (item) => item.issuer,
      columns: [
        { header: 'ISSUER', value: (item) => item.issuer },
        { header: 'NAME', value: (item) => item.name },
        { header: 'KIND', value: (item) => item.kind },
        { header: 'STATE', value: (item) => item.state },
        { header: 'RULES NAME', value: (item) => item.required_conditions.join(' ') },
      ],
    },
  },
  {
    list: { operation: 'trusted-issuers.list', examples: ['', '--text github -o name'] },
    get: {
      operation: 'trusted-issuers.get',
      brief: 'Show a trusted issuer',
      examples: ['https://token.actions.githubusercontent.com', 'tis_0123456789abcdefghij -o yaml'],
    },
    create: {
      operation: 'trusted-issuers.create',
      examples: [
        '--trusted-issuer https://token.actions.githubusercontent.com --name GitHub --kind github_actions',
        '--trusted-issuer https://login.example --name staff --kind people --people-client-id countersign --role admin=platform-admins --role auditor=audit',
        '--trusted-issuer https://cluster.example --name cluster --kind kubernetes --jwks-file cluster.jwks',
      ],
      overrides: members,
      done: 'Trusted',
    },
    update: {
      operation: 'trusted-issuers.patch',
      examples: ['https://gitlab.com --state suspended'],
      overrides: members,
      done: 'Changed',
    },
    delete: {
      operation: 'trusted-issuers.delete',
      examples: ['https://gitlab.com --yes'],
      done: 'Deleted',
    },
  },
  { test: trustedIssuersTest },
);
