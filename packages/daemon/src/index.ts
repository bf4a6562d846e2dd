// The face of @countersign/daemon.
export { type ArrivalLimits, Arrivals } from './arrivals/arrivals.ts';
export { connectionName } from './arrivals/connection-name.ts';
export {
  type ConnectionLimits,
  ConnectionPlaces,
  type ConnectionPlacesOptions,
  type TurnedAway,
  usualShares,
} from './arrivals/connection-places.ts';
export { type AuthorityLink, openAuthorityLink } from './authority-link.ts';
export { type Assembled, type DaemonCommand, type Running, runDaemon } from './command.ts';
export { createConfiguredVerifier, type OptionsInFile } from './configured-verifier.ts';
export { announcesContent } from './http/announced-content.ts';
export {
  createHttpListener,
  endWith,
  type HttpListener,
  type HttpListenerLimits,
  type HttpListenerOptions,
  type ListenerTlsFiles,
} from './http/listener.ts';
export { createOperation, type OperationSources } from './operation/operation.ts';
export { type ConfiguredFile, type ConfiguredFiles, filesBeside } from './settings-file/configured-file.ts';
export { AUTHORITY_MEMBERS, type AuthorityConfig, readAuthority } from './settings-file/authority.ts';
export {
  addressOf,
  type ListenerConfig,
  type ListenerTls,
  readListeners,
  tlsFilesOf,
} from './settings-file/listener.ts';
export {
  ConfigFault,
  LARGEST_CONFIG,
  readYaml,
  YamlValue,
} from './settings-file/yaml-reader.ts';
export { about, type FeedFigures, feedFigures, processFigures, stateFigures } from './telemetry/figures.ts';
export { createLogger, LOG_LEVELS, type Logger, type LogLevel } from './telemetry/logger.ts';
export { createRefusalLines, REFUSAL_LINES_A_MINUTE, type RefusalLines } from './telemetry/refusal-lines.ts';
