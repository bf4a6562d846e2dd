import { isJwsAlgorithm, JWS_ALGORITHMS, parseIssuer } from '@countersign/protocol';
import type { GatewayConfig, ResourceConfig } from './config.ts';
import type { YamlValue } from './yaml-reader.ts';

/** RFC 8414 §2. @throws ConfigFault */
export function readIssuer(value: YamlValue): string {
  const issuer = parseIssuer(value.string());
  if (issuer === undefined) throw value.fault('write the https URL of the authority (http only on loopback)');
  return issuer;
}

const RESOURCE_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** The resource servers that this gateway stands for, by the names that the rules use. @throws ConfigFault */
export function readResources(value: YamlValue): ReadonlyMap<string, ResourceConfig> {
  return new Map(value.entries().map(([name, entry]) => [name, readResource(name, entry)]));
}

function readResource(name: string, value: YamlValue): ResourceConfig {
  if (!RESOURCE_NAME.test(name)) throw value.fault('is named by 1 to 64 of A-Z a-z 0-9 . _ -');
  const given = value.members([
    'audience',
    'publicUrl',
    'senderConstraint',
    'apiKeys',
    'algorithms',
    'leeway',
    'nonces',
  ]);
  if (given.audience === undefined) throw value.fault('audience is missing: the resource identifier');
  const algorithms = given.algorithms?.items().map((item) => {
    const algorithm = item.string();
    if (!isJwsAlgorithm(algorithm))
      throw item.fault(`write one of ${Object.keys(JWS_ALGORITHMS).join(', ')}`);
    return algorithm;
  });
  return {
    name,
    audience: given.audience.string(),
    nonces: given.nonces?.boolean() ?? false,
    ...(given.publicUrl && { publicUrl: given.publicUrl.string() }),
    ...(given.senderConstraint && {
      senderConstraint: given.senderConstraint.oneOf(['none', 'any', 'dpop', 'mtls']),
    }),
    ...(given.apiKeys && { apiKeys: given.apiKeys.boolean() }),
    ...(algorithms && { algorithms }),
    ...(given.leeway && { leeway: given.leeway.integer(0, 60) }),
  };
}

/** What happens while the feed of cut-offs is silent. @throws ConfigFault */
export function readCutoffs(value: YamlValue | undefined): GatewayConfig['cutoffs'] {
  if (value === undefined) return { staleAfter: 10, onStale: 'refuse' };
  if (!value.isMapping()) {
    if (value.boolean()) throw value.fault('write false, or staleAfter and onStale');
    return false;
  }
  const { staleAfter, onStale } = value.members(['staleAfter', 'onStale']);
  return {
    staleAfter: staleAfter?.integer(2, 3600) ?? 10,
    onStale: onStale === undefined ? 'refuse' : readOnStale(onStale),
  };
}

function readOnStale(value: YamlValue): 'refuse' | { readonly acceptYoungerThan: number } {
  if (!value.isMapping()) return value.oneOf(['refuse'] as const);
  const { acceptYoungerThan } = value.members(['acceptYoungerThan']);
  if (acceptYoungerThan === undefined) throw value.fault('write refuse, or acceptYoungerThan: seconds');
  return { acceptYoungerThan: acceptYoungerThan.integer(1, 86_400) };
}
