// The face of @countersign/gateway.
export type {
  GatewayConfig,
  Limits,
  ListenerConfig,
  ResourceConfig,
  UpstreamConfig,
} from './config/config.ts';
export { readConfig, readConfigFile } from './config/read-config.ts';
export { ConfigFault } from './config/yaml-reader.ts';
export { type RunningGateway, startGateway } from './gateway.ts';
export type { ReadyFile } from './ready-file.ts';
