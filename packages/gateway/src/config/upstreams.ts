import type { ConfiguredFiles, YamlValue } from '@countersign/daemon';
import type { UpstreamConfig } from './config.ts';

/** The servers behind the reverse proxy, by name: an address, or an address and whom to trust. @throws ConfigFault */
export function readUpstreams(
  value: YamlValue | undefined,
  files: ConfiguredFiles,
): ReadonlyMap<string, UpstreamConfig> {
  return new Map((value?.entries() ?? []).map(([name, entry]) => [name, readUpstream(name, entry, files)]));
}

function readUpstream(name: string, value: YamlValue, files: ConfiguredFiles): UpstreamConfig {
  if (!value.isMapping()) return { name, url: readUrl(value), ca: undefined };
  const { url, ca } = value.members(['url', 'ca']);
  if (url === undefined) throw value.fault('url is missing');
  return { name, url: readUrl(url), ca: ca && files.certificates(ca) };
}

function readUrl(value: YamlValue): URL {
  const text = value.string();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits =
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    `${url.username}${url.password}${url.search}${url.hash}` === '' &&
    url.pathname === '/';
  if (!fits) throw value.fault('write http://host:port or https://host:port, without path');
  return url;
}
