import type { GatewayConfig } from './config.ts';
import type { YamlValue } from './yaml-reader.ts';

type ClientConfig = Pick<GatewayConfig, 'client' | 'opaqueTokens' | 'usage'>;

/** The gateway's own identity, and what it is for. @throws ConfigFault */
export function readClient(
  given: { readonly [name in keyof ClientConfig]?: YamlValue },
  pathOf: (file: YamlValue) => string,
): ClientConfig {
  const client = given.client && readIdentity(given.client, pathOf);
  for (const name of ['opaqueTokens', 'usage'] as const) {
    const value = given[name];
    if (value?.boolean() === true && client === undefined)
      throw value.fault('needs client: who asks and tells');
  }
  return {
    client,
    opaqueTokens: given.opaqueTokens?.boolean() ?? false,
    usage: given.usage?.boolean() ?? false,
  };
}

function readIdentity(value: YamlValue, pathOf: (file: YamlValue) => string): ClientConfig['client'] {
  const { id, secretFile } = value.members(['id', 'secretFile']);
  if (id === undefined || secretFile === undefined) throw value.fault('write id and secretFile');
  return { id: id.string(), secretFile: pathOf(secretFile) };
}
