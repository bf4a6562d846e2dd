// A token in a file that the platform renews: RFC 7523 §2.1.
import { readFile } from 'node:fs/promises';
import type { SubjectTokenSource } from './source.ts';

/** Reads the file for each request, so that a token that was rotated is used at once. */
export function subjectTokenFile(path: string | URL): SubjectTokenSource {
  return ({ signal }) => readFile(path, { encoding: 'utf8', signal });
}
