import { decodeBase64url, encodeBase64url } from '@countersign/protocol';
import type { Page, Position } from '../../storage/page.ts';
import { ProblemError } from './problem.ts';

/**
 * Where the next page starts, opaque to callers: base64url of what the store gave. Not signed: it says nothing that
 * the caller could not ask for, and is read as strictly as any input.
 */

const POSITION = /^([0-9]{1,16})\.([a-z]{3}_[0-9a-z]{20})$/;
const NUMBER = /^[0-9]{1,16}$/;

/** The position of a `cursor`; undefined for the first page. */
export function readPosition(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const match = POSITION.exec(textOf(cursor));
  if (match === null) throw notACursor();
  return { createdAt: Number(match[1]), id: match[2] as string };
}

/** The number of a `cursor`; 0 for the first page. */
export function readNumber(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const text = textOf(cursor);
  const value = Number(text);
  if (!NUMBER.test(text) || !Number.isSafeInteger(value)) throw notACursor();
  return value;
}

export function writePosition(position: Position | undefined): string | null {
  return position === undefined ? null : encodeBase64url(`${position.createdAt}.${position.id}`);
}

/** A page of a store as a page of the API. */
export async function pageOf<T, V>(
  page: Page<T>,
  view: (item: T) => V | Promise<V>,
): Promise<{ items: V[]; next_cursor: string | null }> {
  const items: V[] = [];
  for (const item of page.items) items.push(await view(item));
  return { items, next_cursor: writePosition(page.next) };
}

/** A page of things that have a number, read with one more than `limit` to see whether there is a next one. */
export function numberedPage<T>(
  found: readonly T[],
  limit: number,
  numberOf: (item: T) => number,
): { items: T[]; next_cursor: string | null } {
  const items = found.slice(0, limit);
  const last = items[items.length - 1];
  const more = found.length > limit && last !== undefined;
  return { items, next_cursor: more ? encodeBase64url(String(numberOf(last))) : null };
}

function textOf(cursor: string): string {
  const bytes = decodeBase64url(cursor);
  if (bytes === undefined) throw notACursor();
  return Buffer.from(bytes).toString('latin1');
}

function notACursor(): ProblemError {
  const detail = 'it is not a next_cursor of this list';
  return new ProblemError('malformed_request', { detail, errors: [{ pointer: '?cursor', detail }] });
}
