// The gateway's file, read into what cannot be wrong any more.
import {
  AUTHORITY_MEMBERS,
  type ConfiguredFiles,
  filesBeside,
  LOG_LEVELS,
  readAuthority,
  readListeners,
  readYaml,
  type YamlValue,
} from '@countersign/daemon';
import { isLoopback } from '@countersign/protocol';
import { readConfiguredFile } from '@countersign/protocol/configured-file';
import type { BrokerConfig, Limits, MqttConfig } from './config.ts';

const MEMBERS = [
  ...AUTHORITY_MEMBERS,
  'audience',
  'senderConstraint',
  'apiKeys',
  'certificates',
  'leeway',
  'broker',
  'listen',
  'limits',
  'logLevel',
] as const;

/** Default, least, most. */
const LIMITS: { readonly [name in keyof Limits]: readonly [number, number, number] } = {
  packetBytes: [1_048_576, 1024, 268_435_460],
  connections: [10_000, 1, 1_000_000],
  connectionsPerIdentity: [100, 1, 1_000_000],
  handshakes: [1000, 1, 1_000_000],
  handshakesPerAddress: [250, 1, 1_000_000],
  connectsWaiting: [1000, 1, 1_000_000],
  connectsWaitingPerAddress: [250, 1, 1_000_000],
  connectTimeout: [10, 1, 120],
  brokerTimeout: [5, 1, 60],
  willDelay: [0, 0, 86_400],
};

/** Reads a file. @throws ConfigFault · UnreadableFile */
export function readConfigFile(path: string): MqttConfig {
  return readConfig(path, readConfiguredFile(path));
}

/** Reads the text of a file; files that it names are looked for beside it. @throws ConfigFault */
export function readConfig(
  file: string,
  text: string,
  files: ConfiguredFiles = filesBeside(file),
): MqttConfig {
  const top = readYaml(file, text);
  const given = top.members(MEMBERS);
  const need = (name: (typeof MEMBERS)[number]): YamlValue => {
    const value = given[name];
    if (value === undefined) throw top.fault(`${name} is missing`);
    return value;
  };
  const listeners = need('listen').members(['mqtt', 'operation']);
  const authority = readAuthority(top, given, files);
  const { mqtt: at, operation } = readListeners(listeners, files);
  if (at === undefined) throw need('listen').fault('mqtt is missing: where clients come to');
  const certificates = given.certificates?.boolean() ?? false;
  if (certificates && (authority.client === undefined || at.tls?.askForCertificate !== true)) {
    throw (given.certificates as YamlValue).fault(
      'needs client, which asks about them, and listen.mqtt with tls and askForCertificate: true',
    );
  }
  const audience = need('audience').string();
  const senderConstraint = given.senderConstraint?.oneOf(['none', 'any', 'mtls']) ?? 'none';
  // One of any is DPoP, whose proofs name a web address.
  if (senderConstraint === 'any' && !/^https?:/i.test(audience)) {
    throw (given.senderConstraint as YamlValue).fault('needs an audience that is a web address; write mtls');
  }
  if (senderConstraint === 'mtls' && at.tls?.askForCertificate !== true) {
    throw (given.senderConstraint as YamlValue).fault(
      'needs listen.mqtt with tls and askForCertificate: true',
    );
  }
  return {
    ...authority,
    audience,
    senderConstraint,
    apiKeys: given.apiKeys?.boolean() ?? false,
    certificates,
    leeway: given.leeway?.integer(0, 60),
    inFile: { whole: top, members: given },
    broker: readBroker(need('broker'), files),
    listen: {
      mqtt: at,
      operation,
    },
    limits: readLimits(given.limits),
    logLevel: given.logLevel?.oneOf(LOG_LEVELS) ?? 'info',
  };
}

function readBroker(value: YamlValue, files: ConfiguredFiles): BrokerConfig {
  const whole = value.isMapping()
    ? value.members(['url', 'ca', 'username', 'passwordFile', 'plaintext'])
    : { url: value };
  const { url, ca, username, passwordFile, plaintext } = whole as { [name: string]: YamlValue | undefined };
  if (url === undefined) throw value.fault('url is missing');
  const [, scheme, host, port] =
    /^(mqtts?):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?$/.exec(url.string()) ?? [];
  if (host === undefined || Number(port ?? 0) > 65_535) {
    throw url.fault('write mqtt://host:port or mqtts://host:port');
  }
  const secure = scheme === 'mqtts';
  const name = host.replace(/^\[(.*)\]$/, '$1');
  // Whoever can reach the broker on that way needs no token.
  if (!secure && !isLoopback(name) && plaintext?.boolean() !== true) {
    throw url.fault('is in the clear beyond this machine; write mqtts://, or plaintext: true');
  }
  if ((username === undefined) !== (passwordFile === undefined)) {
    throw value.fault('write username and passwordFile, or neither');
  }
  return {
    host: name,
    port: port === undefined ? (secure ? 8883 : 1883) : Number(port),
    secure,
    ca: ca && files.certificates(ca),
    username: username?.string(),
    passwordFile: passwordFile && files.secret(passwordFile),
  };
}

function readLimits(value: YamlValue | undefined): Limits {
  const names = Object.keys(LIMITS) as (keyof Limits)[];
  const given = value?.members(names) ?? {};
  const limits: { -readonly [name in keyof Limits]?: number } = {};
  for (const name of names) {
    const [usual, least, most] = LIMITS[name];
    limits[name] = given[name]?.integer(least, most) ?? usual;
  }
  return limits as Limits;
}
