// The face of @countersign/agent.
export { type AgentOptions, NoAttestation, type RunningAgent, startAgent } from './agent.ts';
