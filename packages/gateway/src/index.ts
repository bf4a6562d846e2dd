// The face of @countersign/gateway.
export type {
  GatewayConfig,
  Limits,
  ResourceConfig,
  UpstreamConfig,
} from './config/config.ts';
export { readConfig, readConfigFile } from './config/read-config.ts';
export { ConfigFault, type ListenerConfig } from '@countersign/daemon';
export { type RunningGateway, startGateway } from './gateway.ts';
export type { ReadyFile } from './ready-file.ts';
