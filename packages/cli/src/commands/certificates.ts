import { type Certificate, REVOCATION_CODES } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { certificatesIssue } from './certificates-issue.ts';
import { certificatesRenew } from './certificates-renew.ts';

export const certificates: RouteMap<CliContext> = buildNoun<Certificate>(
  {
    name: 'certificates',
    brief: 'Certificates of the built-in authority',
    argument: 'CERTIFICATE',
    moreExamples: [
      'certificates issue payments --key-file payments.key --cert-file payments.pem --root-file root.pem',
      'certificates renew --key-file payments.key --cert-file payments.pem --if-due',
    ],
    get: 'certificates.get',
    none: 'There are no such certificates.',
    presentation: {
      name: (item) => item.id,
      columns: [
        { header: 'ID', value: (item) => item.id },
        { header: 'IDENTITY', value: (item) => item.client_id },
        { header: 'SERIAL', value: (item) => item.serial_number },
        { header: 'STATE', value: (item) => item.state },
        { header: 'ISSUED BY', value: (item) => item.issued_by },
        { header: 'EXPIRES', value: (item) => item.expires_at },
      ],
    },
  },
  {
    list: {
      operation: 'certificates.list',
      overrides: {
        identity: { brief: 'Of this one: id, client_id or name' },
        credential: { brief: 'That serve this credential' },
        serial_number: { brief: 'With this serial number, hexadecimal' },
        expires_before: { brief: 'That end before this time' },
      },
      examples: ['--identity payments', '--expires-before 12h -o json'],
    },
    get: { operation: 'certificates.get', examples: ['crt_0123456789abcdefghij'] },
    revoke: {
      operation: 'certificates.revoke',
      overrides: {
        reason: { brief: 'Why, for whoever reads the log' },
        code: { brief: 'What the revocation list says', values: [...REVOCATION_CODES] },
        descendants: {
          brief: 'What was renewed from it: goes with it (all, the default), or goes on (none)',
          values: ['all', 'none'],
        },
      },
      examples: [
        'crt_0123456789abcdefghij --reason "the key was copied" --code key_compromise --yes',
        'crt_0123456789abcdefghij --reason "its machine has the next one" --code superseded --descendants none --yes',
      ],
      done: 'Revoked',
    },
  },
  { issue: certificatesIssue, renew: certificatesRenew },
);
