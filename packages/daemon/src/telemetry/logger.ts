import { pino } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the rest of a process needs of a logger. No line per request, and no secret, token or body in any. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** JSON lines on stderr. @param part which process it is */
export function createLogger(part: string, level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { part },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Defence in depth: nothing passes such members, and if somebody ever does they stay inside.
      redact: [
        '*.authorization',
        '*.dpop',
        '*.token',
        '*.password',
        'authorization',
        'dpop',
        'token',
        'password',
      ],
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
