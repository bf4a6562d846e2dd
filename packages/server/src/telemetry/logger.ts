import { pino } from 'pino';

/** What the rest of the house needs of a logger. No line per request, and no secret, token or body in any. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on stderr: stdout belongs to what a command was asked for. */
export function createLogger(level: LogLevel, node: string): Logger {
  return pino(
    {
      level,
      base: { node },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Defence in depth: nothing passes such members, and if somebody ever does they stay inside.
      redact: ['*.secret', '*.client_secret', '*.access_token', '*.authorization', 'secret', 'authorization'],
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
