import type { TrustDomainAnswer } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { jsonFile } from '../named-file.ts';
import { buildNoun } from '../noun/noun-command.ts';

const members: FieldOverrides = {
  bundle: {
    flag: 'bundle-file',
    placeholder: 'file',
    brief: 'Its trust bundle: {"keys": […]}',
    read: ([file], host, flag) => jsonFile(host, file as string, flag),
  },
};

export const trustDomains: RouteMap<CliContext> = buildNoun<TrustDomainAnswer>(
  {
    name: 'trust-domains',
    brief: 'Other SPIFFE trust domains that are believed',
    argument: 'TRUST_DOMAIN',
    get: 'trust-domains.get',
    none: 'No other trust domain is declared.',
    presentation: {
      name: (each) => each.id,
      columns: [
        { header: 'ID', value: (each) => each.id },
        { header: 'TRUST DOMAIN', value: (each) => each.trust_domain },
        { header: 'NAME', value: (each) => each.name ?? '' },
        { header: 'BUNDLE', value: (each) => each.bundle_endpoint ?? 'given' },
      ],
    },
  },
  {
    list: { operation: 'trust-domains.list', examples: ['', '-o yaml'] },
    get: { operation: 'trust-domains.get', examples: ['tdm_0123456789abcdefghij'] },
    create: {
      operation: 'trust-domains.create',
      examples: [
        '--trust-domain other.example --bundle-endpoint https://spiffe.other.example/bundle',
        '--trust-domain other.example --bundle-file bundle.json',
        '--trust-domain spire.example --bundle-endpoint https://spire.example:8443 --endpoint-spiffe-id spiffe://spire.example/spire/server --bundle-file bundle.json',
      ],
      overrides: members,
      done: 'Declared',
    },
    update: {
      operation: 'trust-domains.patch',
      examples: ['tdm_0123456789abcdefghij --bundle-file bundle.json'],
      overrides: members,
      done: 'Changed',
    },
    delete: {
      operation: 'trust-domains.delete',
      examples: ['tdm_0123456789abcdefghij --yes'],
      done: 'Removed',
    },
  },
);
