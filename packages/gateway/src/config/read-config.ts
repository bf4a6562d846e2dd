// The gateway's file, read into what cannot be wrong any more.
import {
  AUTHORITY_MEMBERS,
  type ConfiguredFiles,
  filesBeside,
  LOG_LEVELS,
  readAuthority,
  readYaml,
  type YamlValue,
} from '@countersign/daemon';
import { CERTIFICATE_HEADER_DIALECTS, trustedProxies } from '@countersign/protocol';
import { readConfiguredFile } from '@countersign/protocol/configured-file';
import { shadowedRoutes } from '../rules/route-table.ts';
import type { GatewayConfig } from './config.ts';
import { DEFAULT_IDENTITY_HEADERS, readIdentityHeaders } from './identity-headers.ts';
import { readLimits } from './limits.ts';
import { readGatewayListeners } from './listeners.ts';
import { readResources } from './resources.ts';
import { readRoute } from './routes.ts';
import { readUpstreams } from './upstreams.ts';

const MEMBERS = [
  ...AUTHORITY_MEMBERS,
  'listen',
  'frontProxies',
  'certificateHeader',
  'identityHeaders',
  'passToken',
  'resources',
  'upstreams',
  'routes',
  'limits',
  'logLevel',
] as const;

const LOOPBACK = ['127.0.0.1', '::1'];
const MOST_ROUTES = 1000;

/** Reads a file. @throws ConfigFault · UnreadableFile */
export function readConfigFile(path: string): GatewayConfig {
  return readConfig(path, readConfiguredFile(path));
}

/** Reads the text of a file; files that it names are looked for beside it. @throws ConfigFault */
export function readConfig(
  file: string,
  text: string,
  files: ConfiguredFiles = filesBeside(file),
): GatewayConfig {
  const top = readYaml(file, text);
  const given = top.members(MEMBERS);
  const need = (name: (typeof MEMBERS)[number]): YamlValue => {
    const value = given[name];
    if (value === undefined) throw top.fault(`${name} is missing`);
    return value;
  };
  const frontProxies = readProxies(given.frontProxies);
  if (given.certificateHeader !== undefined && frontProxies.length === 0) {
    throw given.certificateHeader.fault('needs frontProxies: who names the certificate of its caller');
  }
  const resources = readResources(need('resources'));
  const upstreams = readUpstreams(given.upstreams, files);
  const listen = readGatewayListeners(need('listen'), files);
  refuseUnseenCertificates(resources, given.certificateHeader !== undefined, listen);
  const items = need('routes').items();
  if (items.length > MOST_ROUTES) throw need('routes').fault(`are more than ${MOST_ROUTES}`);
  const routes = items.map((item) =>
    readRoute(item, { resources, upstreams, proxied: listen.proxy !== undefined }),
  );
  for (const { route, by } of shadowedRoutes(routes)) {
    const item = items[routes.indexOf(route)] as YamlValue;
    throw item.fault(
      `never decides: ${by.name} (line ${by.line}) takes all its requests; put it before that`,
    );
  }
  return {
    ...readAuthority(top, given, files),
    listen,
    frontProxies,
    certificateHeader: given.certificateHeader?.oneOf(CERTIFICATE_HEADER_DIALECTS),
    identityHeaders: given.identityHeaders
      ? readIdentityHeaders(given.identityHeaders)
      : DEFAULT_IDENTITY_HEADERS,
    passToken: given.passToken?.boolean() ?? false,
    resources,
    upstreams,
    routes,
    limits: readLimits(given.limits),
    logLevel: given.logLevel?.oneOf(LOG_LEVELS) ?? 'info',
  };
}

/** Where nobody says which certificate a caller shows, a resource that asks for one refuses everybody. */
function refuseUnseenCertificates(
  resources: GatewayConfig['resources'],
  isNamed: boolean,
  listen: GatewayConfig['listen'],
): void {
  const { grpc, ...others } = listen;
  if (isNamed || grpc !== undefined) return;
  if (Object.values(others).some((listener) => listener?.tls?.askForCertificate === true)) return;
  for (const { senderConstraint, inFile } of resources.values()) {
    if (senderConstraint !== 'mtls') continue;
    throw (inFile.members['senderConstraint'] as YamlValue).fault(
      'needs certificateHeader, listen.grpc, or a listener with tls and askForCertificate: true',
    );
  }
}

function readProxies(value: YamlValue | undefined): readonly string[] {
  if (value === undefined) return LOOPBACK;
  return value.items().map((item) => {
    const block = item.string();
    try {
      trustedProxies([block]);
    } catch (error) {
      throw item.fault((error as Error).message);
    }
    return block;
  });
}
