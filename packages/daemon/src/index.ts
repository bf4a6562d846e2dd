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
export { type DaemonCommand, type Running, runDaemon } from './command.ts';
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
export { writeReadyFile } from './ready-file.ts';
export { type ConfiguredFile, type ConfiguredFiles, filesBeside } from './settings-file/configured-file.ts';
export { AUTHORITY_MEMBERS, type AuthorityConfig, readAuthority } from './settings-file/authority.ts';
export {
  addressOf,
  type ListenerConfig,
  type ListenerTls,
  readListener,
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
