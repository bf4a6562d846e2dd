import type { YamlValue } from '@countersign/daemon';
import { isJwsAlgorithm, JWS_ALGORITHMS } from '@countersign/protocol';
import type { ResourceConfig } from './config.ts';

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
    inFile: { whole: value, members: given },
    ...(given.publicUrl && { publicUrl: given.publicUrl.string() }),
    ...(given.senderConstraint && {
      senderConstraint: given.senderConstraint.oneOf(['none', 'any', 'dpop', 'mtls']),
    }),
    ...(given.apiKeys && { apiKeys: given.apiKeys.boolean() }),
    ...(algorithms && { algorithms }),
    ...(given.leeway && { leeway: given.leeway.integer(0, 60) }),
  };
}
