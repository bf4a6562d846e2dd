// Vectors of other people. Found through COUNTERSIGN_VECTORS, else beside the project; never part of it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Reads one file of a collection: of a shape that only who reads it knows. */
export type ReadVectors = (file: string) => ReturnType<typeof JSON.parse>;

/** A collection, and what to call its tests: where it is absent the title says how to get it. */
export function vectorsOf(collection: 'wycheproof' | 'jose-cookbook'): {
  readonly there: boolean;
  readonly title: string;
  readonly read: ReadVectors;
} {
  const beside = fileURLToPath(new URL('../../../../shared/vectors', import.meta.url));
  const given = process.env['COUNTERSIGN_VECTORS'] ?? '';
  const folder = join(given === '' ? beside : given, collection);
  const there = existsSync(folder);
  return {
    there,
    title: there ? `${collection} vectors` : `${collection} vectors (absent: set COUNTERSIGN_VECTORS)`,
    read: (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')),
  };
}
