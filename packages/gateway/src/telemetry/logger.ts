import { pino } from 'pino';
import type { GatewayConfig } from '../config/config.ts';

/** What the rest of the gateway needs of a logger. No line per request, and no secret, token or body in any. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** JSON lines on stderr. */
export function createLogger(level: GatewayConfig['logLevel']): Logger {
  return pino(
    {
      level,
      base: { part: 'gateway' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Defence in depth: nothing passes such members, and if somebody ever does they stay inside.
      redact: ['*.authorization', '*.dpop', '*.token', 'authorization', 'dpop', 'token'],
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
