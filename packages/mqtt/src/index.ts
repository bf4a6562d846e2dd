// The face of @countersign/mqtt.
export type { BrokerConfig, Limits, MqttConfig } from './config/config.ts';
export { readConfig, readConfigFile } from './config/read-config.ts';
export { type ReadyFile, type RunningMqttGateway, startMqttGateway } from './gateway.ts';
export { belongsTo } from './topics/client-id.ts';
export { type Right, Rights } from './topics/rights.ts';
