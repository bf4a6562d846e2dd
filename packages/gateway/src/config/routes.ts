import type { YamlValue } from '@countersign/daemon';
import { parseScope } from '@countersign/protocol';
import { parseHostPattern } from '../rules/host.ts';
import { type PathPattern, parsePathPattern } from '../rules/path-pattern.ts';
import type { Requirement, Route } from '../rules/route.ts';
import type { GatewayConfig } from './config.ts';

const MEMBERS = [
  'name',
  'host',
  'path',
  'prefix',
  'methods',
  'resource',
  'scope',
  'public',
  'deny',
  'upstream',
] as const;

interface Surroundings extends Pick<GatewayConfig, 'resources' | 'upstreams'> {
  /** Whether this gateway is a reverse proxy, so that each rule needs its upstream. */
  readonly proxied: boolean;
}

/** One rule. @throws ConfigFault */
export function readRoute(value: YamlValue, around: Surroundings): Route {
  const given = value.members(MEMBERS);
  const requirement = readRequirement(value, around);
  return {
    name: given.name?.string() ?? value.member,
    line: value.line,
    host: readHostOf(given.host),
    path: readPath(value),
    methods: readMethods(given.methods),
    requirement,
    upstream: readUpstream(value, requirement, around),
  };
}

function readHostOf(value: YamlValue | undefined): Route['host'] {
  const pattern = parseHostPattern(value?.string() ?? '*');
  if (pattern !== undefined) return pattern;
  throw (value as YamlValue).fault('write a host without port, orders.example.com or *.example.com');
}

function readPath(value: YamlValue): PathPattern {
  const { path, prefix } = value.members(MEMBERS);
  const given = path ?? prefix;
  if (given === undefined || (path !== undefined && prefix !== undefined)) {
    throw value.fault('write either path or prefix');
  }
  const pattern = parsePathPattern(path === undefined ? 'prefix' : 'path', given.string());
  if (typeof pattern === 'string') throw given.fault(pattern);
  return pattern;
}

/** RFC 9110 §9.1: case-sensitive, and every registered one is in capitals. */
function readMethods(value: YamlValue | undefined): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  const methods = value.items().map((item) => {
    const method = item.string();
    if (!/^[A-Z][A-Z-]{0,31}$/.test(method)) throw item.fault('write a method in capitals, GET');
    return method;
  });
  if (methods.length === 0) throw value.fault('is empty; leave it out for every method');
  return new Set(methods);
}

function readRequirement(value: YamlValue, { resources }: Surroundings): Requirement {
  const { resource, scope, public: open, deny } = value.members(MEMBERS);
  const isPublic = open?.boolean() === true;
  const isDenied = deny?.boolean() === true;
  if (Number(resource !== undefined) + Number(isPublic) + Number(isDenied) !== 1) {
    throw value.fault('write resource and scope, or public: true, or deny: true');
  }
  if (resource === undefined) {
    if (scope !== undefined) throw scope.fault('goes with resource');
    return { kind: isPublic ? 'public' : 'deny' };
  }
  const name = resource.string();
  if (!resources.has(name))
    throw resource.fault(`is not among resources: ${[...resources.keys()].join(', ')}`);
  if (scope === undefined) throw value.fault('scope is missing');
  const needed = parseScope(
    scope
      .items()
      .map((item) => item.string())
      .join(' '),
  );
  if (needed === undefined) throw scope.fault('is no scope (RFC 6749 §3.3)');
  return { kind: 'token', resource: name, scope: needed };
}

function readUpstream(
  value: YamlValue,
  requirement: Requirement,
  { upstreams, proxied }: Surroundings,
): string | undefined {
  const { upstream } = value.members(MEMBERS);
  if (upstream === undefined) {
    if (proxied && requirement.kind !== 'deny')
      throw value.fault('upstream is missing: listen.proxy is there');
    return undefined;
  }
  const name = upstream.string();
  if (!upstreams.has(name))
    throw upstream.fault(`is not among upstreams: ${[...upstreams.keys()].join(', ')}`);
  return name;
}
