import { DatabaseError } from 'pg';
import { StorageError } from '../storage/errors.ts';
import { unavailable, uniqueConflict } from './faults.ts';

/** SQLSTATE of PostgreSQL's appendix A: single codes, or classes of two characters. */
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
/** The transaction was rolled back because of another one: doing it again is safe and likely to succeed. */
const IN_THE_WAY: ReadonlySet<string> = new Set(['40001', '40P01']);
/** Connection lost, no such database (any more), resources exhausted, stopped by an operator or a timeout, input or output error. */
const OUTAGE_CLASSES: ReadonlySet<string> = new Set(['08', '28', '3D', '40', '53', '57', '58']);
/** Read-only (a standby), a database that takes no connections, a lock that was not to be had, stopped while idle in a transaction. */
const OUTAGES: ReadonlySet<string> = new Set(['25006', '55000', '55P03', '25P03']);

/** What the server answered, also where it is the cause of a fault; undefined for anything else. */
function codeOf(error: unknown): string | undefined {
  const answer = error instanceof StorageError ? error.cause : error;
  return answer instanceof DatabaseError ? answer.code : undefined;
}

export function isInTheWay(error: unknown): boolean {
  return IN_THE_WAY.has(codeOf(error) ?? '');
}

/** Whether the connection may be used again after this error: only what the server itself answered leaves it whole. */
export function breaksConnection(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined || code.startsWith('08') || code.startsWith('57P') || code === '25P03';
}

/** A fault of the port where there is one for it; anything else is a bug and stays as it is. */
export function postgresFault(error: unknown): unknown {
  if (error instanceof StorageError || error instanceof TypeError || error instanceof RangeError)
    return error;
  if (!(error instanceof DatabaseError)) {
    return error instanceof Error ? unavailable('connection', error) : error;
  }
  const code = error.code ?? '';
  if (code === UNIQUE_VIOLATION) return uniqueConflict(error.constraint ?? '', error);
  if (code === FOREIGN_KEY_VIOLATION) return new StorageError('missing_reference', 'reference', error);
  if (OUTAGE_CLASSES.has(code.slice(0, 2)) || OUTAGES.has(code))
    return unavailable(`sqlstate ${code}`, error);
  return error;
}
