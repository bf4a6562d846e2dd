import type { CertificateAuthority } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { textFile } from '../named-file.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { certificateAuthoritiesRequest } from './certificate-authorities-request.ts';
import { certificateAuthoritiesSign } from './certificate-authorities-sign.ts';
import { certificateAuthoritiesTakeOffline } from './certificate-authorities-take-offline.ts';

export const certificateAuthorities: RouteMap<CliContext> = buildNoun<CertificateAuthority>(
  {
    name: 'certificate-authorities',
    brief: 'Who issues certificates: the root and those under it',
    argument: 'AUTHORITY',
    moreExamples: [
      'certificate-authorities request --request-file issuing.csr',
      'certificate-authorities sign --request issuing.csr --root root.pem --root-key root.key --passphrase-file passphrase --cert-file issuing.pem',
      'certificate-authorities take-offline --key-file root.key --root-file root.pem --passphrase-file passphrase',
    ],
    get: 'certificate-authorities.get',
    none: 'There are no authorities of certificates.',
    presentation: {
      name: (each) => each.id,
      columns: [
        { header: 'ID', value: (each) => each.id },
        { header: 'ROLE', value: (each) => each.role },
        { header: 'STATE', value: (each) => each.state },
        { header: 'ALG', value: (each) => each.alg },
        { header: 'KEY', value: (each) => (each.key_held ? 'here' : 'elsewhere') },
        { header: 'EXPIRES', value: (each) => each.expires_at ?? '' },
      ],
    },
  },
  {
    list: { operation: 'certificate-authorities.list', examples: ['', '-o json'] },
    get: { operation: 'certificate-authorities.get', examples: ['cau_0123456789abcdefghij -o json'] },
    certify: {
      operation: 'certificate-authorities.certify',
      examples: ['cau_0123456789abcdefghij --cert-file issuing.pem --yes'],
      overrides: {
        certificate: {
          flag: 'cert-file',
          placeholder: 'file',
          brief: 'Its certificate, PEM, then those above it, up to the root',
          read: ([file], host, flag) => textFile(host, file as string, flag),
        },
      },
      done: 'It issues from now on:',
    },
    discard: {
      operation: 'certificate-authorities.discard',
      examples: ['cau_0123456789abcdefghij --yes'],
      done: 'Discarded',
    },
  },
  {
    request: certificateAuthoritiesRequest,
    sign: certificateAuthoritiesSign,
    'take-offline': certificateAuthoritiesTakeOffline,
  },
);
