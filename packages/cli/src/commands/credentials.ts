import type { Credential } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { textFile } from '../named-file.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { credentialsCreate } from './credentials-create.ts';
import { credentialsRotate } from './credentials-rotate.ts';
import { credentialsRotation } from './credentials-rotation.ts';

export const credentials: RouteMap<CliContext> = buildNoun<Credential>(
  {
    name: 'credentials',
    brief: 'How they prove themselves',
    argument: 'CREDENTIAL',
    moreExamples: ['credentials create payments --type client_secret --secret-file payments-2.secret'],
    get: 'credentials.get',
    none: 'There are no such credentials.',
    presentation: {
      name: (item) => item.id,
      columns: [
        { header: 'ID', value: (item) => item.id },
        { header: 'IDENTITY', value: (item) => item.client_id },
        { header: 'TYPE', value: (item) => item.type },
        { header: 'LABEL', value: (item) => item.label },
        { header: 'PUBLIC ID', value: (item) => item.public_id ?? '' },
        { header: 'STATE', value: (item) => item.state },
        { header: 'USE', value: (item) => item.usage?.state ?? '' },
        { header: 'LAST USED', value: (item) => item.usage?.last_used ?? '' },
        { header: 'EXPIRES', value: (item) => item.expires_at },
      ],
    },
  },
  {
    list: {
      operation: 'credentials.list',
      overrides: {
        identity: { brief: 'Of this one: id, client_id or name' },
        type: { brief: 'Of this type' },
        state: { brief: 'In this state' },
        expires_before: { brief: 'That end before this time' },
      },
      examples: ['--identity payments', '--expires-before 30d -o json'],
    },
    get: {
      operation: 'credentials.get',
      examples: ['crd_0123456789abcdefghij'],
      overrides: { within: { placeholder: 'span', brief: 'What its use is about; 30d when left out' } },
    },
    update: {
      operation: 'credentials.patch',
      overrides: {
        label: { brief: 'To tell credentials apart' },
        state: { brief: 'Suspended or active again' },
        expires_at: { brief: 'When it ends' },
        ca: {
          flag: 'issued-by',
          placeholder: 'file',
          brief: 'PEM certificates of other authorities, in place of those it has',
          read: ([file], host, flag) => textFile(host, file as string, flag),
        },
        crl: {
          placeholder: 'file',
          brief: 'Newer revocation lists, PEM (X509 CRL); none takes them away',
          read: ([file], host, flag) => (file === 'none' ? null : textFile(host, file as string, flag)),
        },
      },
      examples: [
        'crd_0123456789abcdefghij --label "eu-west"',
        'crd_0123456789abcdefghij --state suspended',
        'crd_0123456789abcdefghij --crl clients.crl',
      ],
      done: 'Changed',
    },
    revoke: {
      operation: 'credentials.revoke',
      examples: ['crd_0123456789abcdefghij --yes'],
      done: 'Revoked',
    },
  },
  { create: credentialsCreate, rotate: credentialsRotate, rotation: credentialsRotation },
);
